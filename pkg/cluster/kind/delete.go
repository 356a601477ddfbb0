package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/ctxcall"
	"zr/pkg/event"
)

// Delete removes the cluster's containers with their volumes, the name of its
// node image (the image stays) and zr's kubeconfig. A cluster that zr did not
// make stays.
func (p *provider) Delete(ctx context.Context, sink event.Sink) error {
	unlock, err := p.lock(ctx, sink)
	if err != nil {
		return p.wrap("locking", err)
	}
	defer unlock()
	h, err := p.locate(ctx)
	if errors.Is(err, engine.ErrNone) && !p.known() {
		err := p.forget() // no engine, no containers
		p.forgetLock()
		return err
	}
	if err != nil {
		return p.wrap("deleting", err)
	}
	if h.foreign() != "" {
		return p.wrap("deleting", h.foreignFault())
	}
	progress(sink, "removing %d node(s)", len(h.nodes))
	if err := p.removeAll(ctx, h); err != nil {
		return p.wrap("deleting", err)
	}
	p.forgetLock()
	return nil
}

// known says that there may be a cluster although no engine answers: one is
// installed, and zr has the kubeconfig of a cluster that was not deleted.
func (p *provider) known() bool {
	path, err := p.kubeconfig()
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil && engine.Installed()
}

// remove deletes everything that belongs to the cluster, in whatever state it is.
func (p *provider) remove(ctx context.Context, e engine.Engine) error {
	nodes, err := containers(ctx, e, p.opts.Name)
	if err != nil {
		return err
	}
	return p.removeAll(ctx, holding{cluster: p.opts.Name, engine: e, nodes: nodes, lines: p.opts.Lines})
}

func (p *provider) removeAll(ctx context.Context, h holding) error {
	e := h.engine
	if len(h.nodes) > 0 {
		// What is thrown away need not be shut down, which takes systemd up to
		// ten seconds.
		e.Kill(ctx, h.names()...)
		lib, restore, err := library(e, nil)
		if err != nil {
			return err
		}
		path, err := p.kubeconfig()
		if err != nil {
			restore()
			return err
		}
		dropLock(path)
		_, err = ctxcall.Do(ctx, func() (struct{}, error) {
			defer restore()
			return struct{}{}, lib.Delete(p.opts.Name, path)
		}, nil)
		if err != nil {
			return concise(err)
		}
	}
	if err := p.removeVolumes(ctx, e, h.names()); err != nil {
		return err
	}
	// With another name left, rmi takes away this one and not the image. That
	// it is not there is no error.
	_ = e.Run(ctx, nil, nil, "rmi", ownImage+":"+p.opts.Name)
	return p.forget()
}

// removeVolumes removes the volumes that kind makes for podman before the
// container that they are for, and which nobody removes when it dies between.
func (p *provider) removeVolumes(ctx context.Context, e engine.Engine, nodes []string) error {
	if e.Name != engine.Podman {
		return nil
	}
	names := append(nodes, p.expectedNames()...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		text, err := e.Output(ctx, "volume", "ls", "-q", "--filter", "label="+name)
		if err != nil {
			return err
		}
		if volumes := strings.Fields(string(text)); len(volumes) > 0 {
			if err := e.Run(ctx, nil, nil, append([]string{"volume", "rm", "--force"}, volumes...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// expectedNames returns how kind names the nodes of the cluster that is wanted.
func (p *provider) expectedNames() []string {
	names := []string{p.opts.Name + "-" + controlPlane}
	for i := 1; i < p.opts.Nodes; i++ {
		name := p.opts.Name + "-worker"
		if i > 1 {
			name += fmt.Sprint(i)
		}
		names = append(names, name)
	}
	return names
}

// forget removes zr's kubeconfig, and what was merged from it into the user's.
func (p *provider) forget() error {
	path, err := p.kubeconfig()
	if err != nil {
		return err
	}
	if err := cluster.Unmerge(path, contextName(p.opts.Name)); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing kubeconfig %q: %w", path, err)
	}
	return nil
}
