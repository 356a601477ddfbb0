package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/pkg/event"
	"zr/pkg/fault"
)

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name:      "token",
		Usage:     "make a token with which a script may use the api",
		ArgsUsage: "NAME",
		Description: `The token is shown once: the api keeps only its hash.

EXAMPLES:
   zr token nightly
   zr token --role operator --days 7 deploy-bot
   curl -H "Authorization: Bearer $(zr token --days 1 me)" localhost:3001/api/v1/activity`,
		Flags: verbFlags(
			&cli.StringFlag{Name: "role", Usage: "what it may do: `ROLE` is viewer or operator", Value: "viewer"},
			&cli.IntFlag{Name: "days", Usage: "how long it can be used, in `DAYS` (1 to 365)", Value: 30},
		),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return fault.WithCode(errors.New("a token needs one name, which says what it is for"), fault.Usage, "see `zr token --help`")
			}
			asJSON, err := wantsJSON(c)
			if err != nil {
				return err
			}
			return onStack(c, event.Discard, stack.Options{}, func(ctx context.Context, s *stack.Stack) error {
				made, err := s.MakeToken(ctx, stack.TokenRequest{Name: c.Args().First(), Role: c.String("role"), Days: c.Int("days")})
				if asJSON {
					return printReport(c.App.Writer, map[string]any{"token": made}, err)
				}
				if err != nil {
					return err
				}
				fmt.Fprintln(c.App.Writer, made.Secret)
				return nil
			})
		},
	}
}
