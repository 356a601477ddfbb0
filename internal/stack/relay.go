package stack

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"zr/pkg/cluster"
	"zr/pkg/cluster/relay"
	"zr/pkg/cluster/statedir"
)

// RelayVerb is what zr calls itself with to relay ports of this machine.
const RelayVerb = "relay"

// Relay relays ports of this machine to the NodePorts of a cluster of kind's, for the
// environment that set names, until ctx ends or the cluster is deleted. relay.Ensure
// starts it, and asks it.
func Relay(ctx context.Context, name, set string) error {
	path, err := statedir.Relay(name, set)
	if err != nil {
		return err
	}
	kubeconfig, err := statedir.Kubeconfig(name)
	if err != nil {
		return err
	}
	route, err := relay.RouteOf(kubeconfig)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	return relay.Main(ctx, path, os.Stdin, os.Stdout, func(ctx context.Context, node int32) (io.ReadWriteCloser, error) {
		if _, err := os.Stat(kubeconfig); errors.Is(err, fs.ErrNotExist) { // the cluster was deleted
			end()
			return nil, cluster.ErrNotFound
		}
		return route.Dial(ctx, node)
	})
}
