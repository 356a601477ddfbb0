package image

import (
	"context"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Save streams an image of the store as an archive that `docker load` and
// `podman load` take, under its normalized name.
func (s *Store) Save(ctx context.Context, ref string, w io.Writer) error {
	full, err := Normalize(ref)
	if err != nil {
		return err
	}
	parsed, err := name.ParseReference(full)
	if err != nil {
		return fmt.Errorf("parsing image reference %q: %w", ref, err)
	}
	img, err := s.Get(ctx, full)
	if err != nil {
		return fmt.Errorf("saving image %q: %w", ref, err)
	}
	if err := tarball.Write(parsed, img, &stopping{ctx, w}); err != nil {
		return fmt.Errorf("saving image %q: %w", ref, err)
	}
	return nil
}

// stopping is a writer that fails once its context is done.
type stopping struct {
	ctx context.Context
	w   io.Writer
}

func (s *stopping) Write(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.w.Write(p)
}
