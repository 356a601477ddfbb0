package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/internal/ui"
)

func devCommand() *cli.Command {
	return &cli.Command{
		Name:  "dev",
		Usage: "up, then make every save live",
		Description: `Runs ` + "`zr up`" + ` with images that can be changed while they run, and watches the
sources: a save is built, sent and swapped in, gated on the service's health.
What does not compile or does not get healthy never replaces what runs. Ctrl-C
leaves the stack running; ` + "`zr up`" + ` returns it to release images.

EXAMPLES:
   zr dev
   zr dev --explain cmd/zr-api/main.go
   zr dev -o json | jq 'select(.type == "reload")'`,
		Flags: verbFlags(append([]cli.Flag{changeSecretsFlag(), overwriteFlag(), keepFlag(), &cli.StringFlag{Name: "explain", Usage: "say what a change of `PATH` would do, and why; change nothing"}}, sharedFlags()...)...),
		Action: func(c *cli.Context) error {
			if c.IsSet("explain") {
				return explain(c, c.String("explain"))
			}
			return runDev(c)
		},
	}
}

func runDev(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	mode, err := outputMode(c)
	if err != nil {
		return err
	}
	out, keys := ui.NewDev(c.App.Writer, os.Stdin, mode, slices.Sorted(maps.Keys(cfg.Services)))
	defer out.Close()
	s, err := stack.OpenDev(cfg, out, runOptions(c))
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, quit := context.WithCancelCause(c.Context)
	defer quit(nil)
	orders := commands(ctx, keys, quit, func() { openDashboard(s.Dashboard(), out) })
	if err := s.Run(ctx, orders); !errors.Is(context.Cause(ctx), errQuit) {
		return err
	}
	return nil
}

// errQuit is the cause of a context that the user ended with a key.
var errQuit = errors.New("quit")

// explain prints what a change of a path would do.
func explain(c *cli.Context, path string) error {
	return report(c, func(ctx context.Context, s *stack.Stack, asJSON bool) error {
		decisions, err := s.Explain(ctx, path, flagValue(c, "project"))
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.App.Writer, decisions)
		}
		out := ui.Report(c.App.Writer)
		for _, d := range decisions {
			if d.Service == "" {
				fmt.Fprintf(out, "%s: %s\n", d.Action, d.Reason)
				continue
			}
			fmt.Fprintf(out, "%s %s: %s\n", d.Action, d.Service, d.Reason)
		}
		return nil
	})
}
