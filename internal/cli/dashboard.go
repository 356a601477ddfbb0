package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
)

func dashboardCommand() *cli.Command {
	return &cli.Command{
		Name:  "dashboard",
		Usage: "print a link that logs you in to the dashboard",
		Description: `The link can be used once, within ten minutes, and gives the role operator.

EXAMPLES:
   zr dashboard
   xdg-open "$(zr dashboard)"`,
		Flags: verbFlags(),
		Action: func(c *cli.Context) error {
			return report(c, func(ctx context.Context, s *stack.Stack, asJSON bool) error {
				link, err := s.LoginLink(ctx)
				if asJSON {
					return printReport(c.App.Writer, map[string]any{"login": link}, err)
				}
				if err != nil {
					return err
				}
				fmt.Fprintln(c.App.Writer, link)
				return nil
			})
		},
	}
}
