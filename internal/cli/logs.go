package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
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
With --grep, and without -f and --tail, the lines come from the history that the
api keeps, where the environment has one, and otherwise from the containers: the
first line says which.

EXAMPLES:
   zr logs -f
   zr logs -f --level warning api
   zr logs --since 2h --grep 'timeout|refused'
   zr logs --since 10m -o json | jq -r '.text'`,
		Flags: verbFlags(
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on until Ctrl-C"},
			&cli.IntFlag{Name: "tail", Usage: "begin with the last `N` lines of each container (0: all)", Value: 100},
			&cli.DurationFlag{Name: "since", Usage: "begin with lines from `DURATION` ago, for example 10m"},
			&cli.StringFlag{Name: "grep", Usage: "only lines that match `PATTERN`, a regular expression; all of them, unless --tail is given"},
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
			var grep *regexp.Regexp
			if pattern := c.String("grep"); pattern != "" {
				var err error
				if grep, err = regexp.Compile(pattern); err != nil {
					return fault.WithCode(fmt.Errorf("--grep: %w", err), fault.Usage, "a regular expression as Go has them (RE2), for example 'timeout|refused'")
				}
			}
			tail := c.Int("tail")
			if grep != nil && !c.IsSet("tail") {
				tail = 0
			}
			out, err := printer(c, c.App.Writer)
			if err != nil {
				return err
			}
			defer out.Close()
			return onStack(c, out, stack.Options{}, func(ctx context.Context, s *stack.Stack) error {
				return s.Logs(ctx, stack.LogOptions{
					Services: c.Args().Slice(), Follow: c.Bool("follow"), Tail: tail, Grep: grep, Since: c.Duration("since"), Level: c.String("level"),
				})
			})
		},
	}
}
