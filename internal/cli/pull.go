package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/internal/ui"
)

func pullCommand() *cli.Command {
	return &cli.Command{
		Name:  "pull",
		Usage: "take settings and secrets that were changed in the cluster over into the project's files",
		Description: `Writes what the dashboard has changed into config/<env>.yaml and
config/secrets/<env>.env, where comments, order and all else stay. It changes
nothing in the cluster. ` + "`zr up --overwrite`" + ` does the opposite.

EXAMPLES:
   zr diff
   zr config pull && git diff config`,
		Flags: verbFlags(),
		Action: func(c *cli.Context) error {
			return report(c, func(ctx context.Context, s *stack.Stack, asJSON bool) error {
				pulled, err := s.Pull(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(c.App.Writer, map[string]any{"pulled": pulled})
				}
				out := ui.Report(c.App.Writer)
				for _, file := range pulled {
					fmt.Fprintf(out, "%s takes over %s (%s)\n", file.File, strings.Join(file.Keys, ", "), file.Source)
				}
				if len(pulled) == 0 {
					fmt.Fprintln(out, "nothing was changed in the cluster that the project's files do not say")
				}
				return nil
			})
		},
	}
}
