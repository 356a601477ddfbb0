package kind

import (
	"context"
	"fmt"
	"io"

	"zr/pkg/cluster/engine"
)

// node is a cluster.Node in a container. It is safe for concurrent use.
type node struct {
	name   string
	engine engine.Engine
}

func (n node) Name() string { return n.name }

func (n node) Run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	// --privileged as kind does it: otherwise an engine drops capabilities
	// that the container itself has.
	run := []string{"exec", "--privileged"}
	if stdin != nil {
		run = append(run, "-i")
	}
	run = append(append(run, n.name), args...)
	if err := n.engine.Run(ctx, stdin, stdout, run...); err != nil {
		return fmt.Errorf("running a command in node %q: %w", n.name, err)
	}
	return nil
}
