package cli

import (
	"context"
	"errors"
	"path/filepath"

	"zr/internal/devloop"
	"zr/pkg/build"
	"zr/pkg/build/node"
)

// nodeUnit is the unit of a Node.js service: its sources, or what its build
// script makes of them.
func (s *stack) nodeUnit(r build.Request, mode build.DevMode, inputs *build.InputSet, container devloop.Container, rebuild func(context.Context) error) (devloop.Unit, error) {
	tree, err := node.New(s.deps()).Tree(r, inputs, filepath.Join(s.scratch, r.Service))
	if err != nil {
		return nil, err
	}
	sources := &devloop.Sources{
		Service: r.Service, Inputs: inputs, Container: container, Restarts: mode.Reload == build.Restart,
		Root: s.cfg.Root, Dir: filepath.Join(s.cfg.Root, r.Spec.Node),
		Rebuild:  func(ctx context.Context) error { return errors.Join(rebuild(ctx), tree.Reread()) },
		Installs: tree.Installs, Made: tree.Made,
	}
	if mode.Reload == build.Compile {
		return &devloop.Compiled{Sources: sources, Compile: tree.Built, Budget: s.budget}, nil
	}
	return sources, nil
}
