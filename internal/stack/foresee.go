package stack

import (
	"context"
	"errors"
	"sync"
)

// foresight lets the cluster be asked whether it will take what is rendered
// while images are built, which may take minutes. Where nothing has to be
// built, the diff before the apply asks soon enough.
type foresight struct {
	missing chan struct{}    // closed when an image has to be made
	built   chan struct{}    // closed when all are
	found   chan *connection // to the cluster, if it was there; one that was just made has no rules of its own

	once sync.Once
}

func newForesight() *foresight {
	return &foresight{missing: make(chan struct{}), built: make(chan struct{}), found: make(chan *connection, 1)}
}

func (f *foresight) needsBuild() { f.once.Do(func() { close(f.missing) }) }

// foresee ends without a word where everything was built before, or when the
// cluster takes what is rendered.
func (p *project) foresee(ctx context.Context, f *foresight) error {
	select {
	case <-ctx.Done():
		return nil
	case <-f.built:
		return nil
	case <-f.missing:
	}
	select {
	case <-ctx.Done():
		return nil
	case <-f.built:
		return nil
	case on := <-f.found:
		return errors.Join(on.deployer.May(ctx, p.rights()), on.deployer.Foresee(ctx, p.rendered))
	}
}
