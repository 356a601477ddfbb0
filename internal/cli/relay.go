package cli

import (
	"github.com/urfave/cli/v2"

	"zr/internal/stack"
)

// relayCommand is for zr itself: see stack.Relay.
func relayCommand() *cli.Command {
	return &cli.Command{
		Name:      stack.RelayVerb,
		Hidden:    true,
		Usage:     "relay ports of this machine to a cluster",
		ArgsUsage: "CLUSTER SET",
		Action:    func(c *cli.Context) error { return stack.Relay(c.Context, c.Args().Get(0), c.Args().Get(1)) },
	}
}
