package image

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"zr/pkg/event"
)

// Delta is a layer that a registry lacks, and an older one that it has, of which little
// has changed.
type Delta struct {
	// Blobs is the address of the repository's blobs, with a slash at its end.
	Blobs string
	// Authorization is the header that lets its bearer read the repository and push
	// to it, for as long as the registry says; empty where anybody may.
	Authorization string
	From, To      DeltaLayer
}

// DeltaLayer is one of the layers of a Delta.
type DeltaLayer struct {
	Digest string // of what a registry has
	Packed int64  // size of that, in bytes
	File   string // its content, on this machine
	Size   int64  // of the content, in bytes
}

// Mender makes a registry hold a layer of a Delta without the layer leaving this
// machine. It is safe for concurrent use.
type Mender interface {
	// Mend does nothing where that would save too little.
	Mend(ctx context.Context, d Delta) error
}

const (
	// deltaLeast is the size in bytes, as a registry has it, from which a layer may
	// travel as what changed: a smaller one takes a second at 10 Mbit/s.
	deltaLeast = 1 << 20
	// deltaBases is how many older images of a service are looked at.
	deltaBases = 4
)

// mend has p.Mender push what the registry lacks of mine, which are some of all layers
// of an image, as far as it can. What it cannot is left to whoever pushes whole layers.
func (p Pusher) mend(ctx context.Context, r *blobs, out *outgoing, all, mine []v1.Layer) error {
	if p.Mender == nil {
		return nil
	}
	for n, layer := range all {
		digest, err := layer.Digest()
		if err != nil {
			return err
		}
		made, ok := out.layers[digest].(*compressedLayer)
		if !ok || made.desc.Size < deltaLeast || !slices.Contains(mine, layer) {
			continue
		}
		older, err := p.older(out.base, made, len(all)-n)
		if err == nil {
			err = p.mendOne(ctx, r, made, older)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && p.Sink != nil {
			p.Sink.Emit(event.Notice{Text: fmt.Sprintf("a layer of %s travels as a whole: %v", r.repo, err)})
		}
	}
	return nil
}

// mendOne has the registry hold a layer of which it has one of older.
func (p Pusher) mendOne(ctx context.Context, r *blobs, layer *compressedLayer, older []*compressedLayer) error {
	if len(older) == 0 {
		return nil
	}
	if has, err := r.has(ctx, layer.desc.Digest); has || err != nil {
		return err
	}
	if strings.HasPrefix(r.seen.authorization, "Basic ") {
		return nil // somebody's password, which leaves this machine for the registry alone
	}
	for _, from := range older {
		has, err := r.has(ctx, from.desc.Digest)
		if err != nil {
			return err
		}
		if has {
			return p.Mender.Mend(ctx, Delta{
				Blobs: r.address(), Authorization: r.seen.authorization, From: p.Store.deltaLayer(from), To: p.Store.deltaLayer(layer),
			})
		}
	}
	return nil
}

func (s *Store) deltaLayer(l *compressedLayer) DeltaLayer {
	d := DeltaLayer{Digest: l.desc.Digest.String(), Packed: l.desc.Size, File: s.blobPath(l.diffID)}
	if info, err := os.Stat(d.File); err == nil {
		d.Size = info.Size()
	}
	return d
}

// older returns what earlier images of the same service as img have in place of a layer,
// which is the nth from the top, the last used first: those that were pushed once, and
// are of about the same size.
func (p Pusher) older(img v1.Image, layer *compressedLayer, n int) (found []*compressedLayer, err error) {
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	entries, err := p.Store.List()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.desc.Digest == digest })
	if i < 0 {
		return nil, nil
	}
	service := repositoryOf(entries[i].Name)
	looked := 0
	for _, entry := range entries {
		manifest, _, err := p.Store.manifest(entry.desc)
		if repositoryOf(entry.Name) != service || err != nil || len(manifest.Layers) < n || looked == deltaBases {
			continue
		}
		desc := manifest.Layers[len(manifest.Layers)-n]
		if desc.MediaType != types.OCIUncompressedLayer || desc.Digest == layer.diffID || !p.Store.hasBlob(desc.Digest, desc.Size) {
			continue
		}
		looked++
		old := &compressedLayer{store: p.Store, diffID: desc.Digest}
		if old.recall() && old.desc.Size > layer.desc.Size/2 && old.desc.Size < layer.desc.Size*2 {
			found = append(found, old)
		}
	}
	return found, nil
}
