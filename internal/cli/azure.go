package cli

import (
	"github.com/urfave/cli/v2"

	"zr/internal/stack"
)

// kubeTokenCommand is for kubectl: see stack.KubeToken.
func kubeTokenCommand() *cli.Command {
	return &cli.Command{
		Name:   stack.KubeTokenVerb,
		Hidden: true,
		Usage:  "print a token for the API server of an AKS cluster, for kubectl",
		Flags:  []cli.Flag{&cli.StringFlag{Name: "server-id"}, &cli.StringFlag{Name: "tenant-id"}},
		Action: func(c *cli.Context) error {
			text, err := stack.KubeToken(c.Context, c.String("server-id"), c.String("tenant-id"))
			if err != nil {
				return err
			}
			_, err = c.App.Writer.Write(text)
			return err
		},
	}
}
