package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/pkg/fault"
	"zr/pkg/logline"
)

func logsCommand() *cli.Command {
	return &cli.Command{
		Name:      "logs",
		Usage:     "print what the services write",
		ArgsUsage: "[SERVICE...]",
		Description: `All services where none is named. Follows new pods and restarted containers.

EXAMPLES:
   zr logs -f
   zr logs -f --level warning api
   zr logs --since 10m -o json | jq -r '.text'`,
		Flags: verbFlags(
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on until Ctrl-C"},
			&cli.IntFlag{Name: "tail", Usage: "begin with the last `N` lines of each container (0: all)", Value: 100},
			&cli.DurationFlag{Name: "since", Usage: "begin with lines from `DURATION` ago, for example 10m"},
			&cli.StringFlag{Name: "level", Usage: "the least severe `LEVEL` wanted: debug, info, warning or error"},
		),
		BashComplete: completeServices,
		Action: func(c *cli.Context) error {
			if c.Int("tail") < 0 || c.Duration("since") < 0 {
				return fault.WithCode(errors.New("--tail and --since: less than nothing is asked for"), fault.Usage, "see `zr logs --help`")
			}
			if level := c.String("level"); level != "" && !slices.Contains(logline.Levels(), level) {
				return fault.WithCode(fmt.Errorf("--level: %q is not a level", level), fault.Usage, "one of "+strings.Join(logline.Levels(), ", "))
			}
			out, err := printer(c, c.App.Writer)
			if err != nil {
				return err
			}
			defer out.Close()
			return onStack(c, out, stack.Options{}, func(ctx context.Context, s *stack.Stack) error {
				return s.Logs(ctx, stack.LogOptions{
					Services: c.Args().Slice(), Follow: c.Bool("follow"), Tail: c.Int("tail"), Since: c.Duration("since"), Level: c.String("level"),
				})
			})
		},
	}
}
