package cli

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/pkg/fault"
)

func renderCommand() *cli.Command {
	return &cli.Command{
		Name:  "render",
		Usage: "print the manifests, for a tool that applies them in zr's place",
		Description: `Builds what changed, since images are pinned by digest, and prints YAML, the same on
every machine. The Secret "secrets" is left out. It asks no cluster and pushes
nothing: ` + "`zr images push`" + ` does.

EXAMPLE:
   zr images push --env staging && zr render --env staging >deploy/staging.yaml`,
		Flags: verbFlags(),
		Action: func(c *cli.Context) error {
			if asJSON, err := wantsJSON(c); err != nil || asJSON {
				return errors.Join(err, fault.WithCode(errors.New("--output: manifests are printed as YAML"), fault.Usage, "leave it out"))
			}
			return quietly(c, func(ctx context.Context, s *stack.Stack) error {
				manifests, err := s.Manifests(ctx)
				if err != nil {
					return err
				}
				_, err = c.App.Writer.Write(manifests)
				return err
			})
		},
	}
}
