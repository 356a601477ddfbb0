package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/internal/ui"
	"zr/pkg/event"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look for what this machine lacks, and fix it",
		Description: `Checks the container engine, ports, disk, limits and tools that the environment
needs. With --fix it fixes what it can: as root on Debian and Ubuntu it installs
podman where there is no engine. Exit code 1 where something is missing.

EXAMPLES:
   zr doctor
   sudo zr doctor --fix`,
		Flags: verbFlags(
			&cli.BoolFlag{Name: "fix", Usage: "fix what can be fixed"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print only what is to be fixed"},
		),
		Action: runDoctor,
	}
}

func runDoctor(c *cli.Context) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	messages, err := printer(c, c.App.ErrWriter)
	if err != nil {
		return err
	}
	defer messages.Close()
	return quietly(c, func(ctx context.Context, s *stack.Stack) error {
		var fix event.Sink
		if c.Bool("fix") {
			fix = messages
			if asJSON {
				fix = event.Discard
			}
		}
		checks, err := s.Doctor(ctx, fix)
		if checks == nil {
			return err
		}
		if asJSON {
			return printReport(c.App.Writer, map[string]any{"checks": checks}, err)
		}
		printChecks(ui.Report(c.App.Writer), checks, c.Bool("quiet"))
		return err
	})
}

func printChecks(w io.Writer, checks []stack.Check, quiet bool) {
	for _, check := range checks {
		if quiet && !check.Actionable() {
			continue
		}
		fmt.Fprintf(w, "%-4s  %s: %s\n", check.Status, check.Name, check.Detail)
		if check.Status != stack.Passed && check.Hint != "" {
			fmt.Fprintf(w, "      %s\n", check.Hint)
		}
	}
}
