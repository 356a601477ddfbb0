package cli

import (
	"github.com/urfave/cli/v2"

	"zr/internal/stack"
)

func instanceFlag() cli.Flag {
	return &cli.StringFlag{Name: "as", Usage: "this checkout's own instance `NAME` of the environment; \"\" for the one that all checkouts share (default: what the last up or dev took)"}
}

// instanceOf returns the instance that the flags name, otherwise the one that
// the checkout has chosen before.
func instanceOf(c *cli.Context, root, env string) string {
	for _, at := range c.Lineage() {
		if at.Command != nil && at.IsSet("as") {
			return at.String("as")
		}
	}
	return stack.Instance(root, env)
}
