package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sync/errgroup"

	"zr/pkg/cluster/engine"
	"zr/pkg/cluster/kind"
	"zr/pkg/event"
	"zr/pkg/image"
	"zr/pkg/image/recipe"
)

// madeNodeImage is the node image that zr can make where no registry gives
// one: see images/kindnode.
const madeNodeImage = "kindest/node:v1.37.2"

// nodeImage puts the image of kind's nodes into the engine: the engine holds
// it, or the store does, or the engine pulls it, or it is made.
func (s *Stack) nodeImage(ctx context.Context, e engine.Engine) (string, error) {
	wanted := s.cfg.Cluster.NodeImage
	candidates := []string{wanted}
	if wanted == "" {
		// The image that kind was released with, and the one that zr can make.
		candidates = []string{kind.DefaultNodeImage, madeNodeImage}
	}
	for _, ref := range candidates {
		if name, held, err := engineHolds(ctx, e, ref); err != nil || held {
			return name, err
		}
	}
	for _, ref := range candidates {
		if s.store.Has(ref) {
			return s.loadEngine(ctx, e, ref)
		}
	}
	s.sink.Emit(event.StepProgress{Step: stepCluster, Detail: "pulling " + candidates[0]})
	name, err := image.Normalize(candidates[0])
	if err != nil {
		return "", err
	}
	pullErr := e.Run(ctx, nil, nil, "pull", "--quiet", name)
	if pullErr == nil || ctx.Err() != nil {
		return name, pullErr
	}
	made := candidates[len(candidates)-1]
	if _, ok := recipe.Find(made); !ok {
		return "", fmt.Errorf("getting node image %q: %w", made, pullErr)
	}
	s.sink.Emit(event.Notice{Text: fmt.Sprintf("no registry gives %s, so %s is made here; that takes minutes, once", candidates[0], made)})
	return s.loadEngine(ctx, e, made)
}

// engineHolds returns the name by which the engine knows ref. An image that was
// made from a recipe which has changed since counts as absent.
func engineHolds(ctx context.Context, e engine.Engine, ref string) (string, bool, error) {
	name, err := image.Normalize(ref)
	if err != nil {
		return "", false, err
	}
	key, err := e.Output(ctx, "image", "inspect", "--format", `{{index .Config.Labels "`+recipe.KeyLabel+`"}}`, name)
	if err != nil {
		return name, false, ctx.Err()
	}
	made := strings.TrimSpace(string(key))
	r, known := recipe.Find(ref)
	return name, !known || made == "" || made == r.Key(), nil
}

// loadEngine streams an image of the store, got there first where need be,
// into the engine.
func (s *Stack) loadEngine(ctx context.Context, e engine.Engine, ref string) (string, error) {
	entry, err := s.resolver.Fetch(ctx, ref)
	if err != nil {
		return "", err
	}
	s.sink.Emit(event.StepProgress{Step: stepCluster, Detail: "loading " + ref + " into " + e.Name, Total: entry.Size, Unit: "bytes"})
	archive, w := io.Pipe()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := s.store.Save(ctx, entry.Name, w)
		w.CloseWithError(err)
		return err
	})
	group.Go(func() error {
		err := e.Run(ctx, archive, nil, "load", "--quiet")
		archive.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // so that the writer ends too
		return err
	})
	if err := group.Wait(); err != nil {
		return "", fmt.Errorf("loading image %q into %s: %w", ref, e.Name, s.store.RemoveDamaged(err, entry.Name))
	}
	return entry.Name, nil
}
