package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/image/bom"
)

// Pusher sends images to a registry.
//
// A pushed image has another manifest digest than the same image in the store and on a
// local node, because its layers travel compressed (zstd) while local ones stay as they
// are. Its config, and so what engines call the image ID, is the same byte for byte.
// The pushed digest is again a function of the inputs. The same sources give it on
// every machine that runs the same zr: the encoder is part of zr and runs at a fixed
// level.
type Pusher struct {
	Store    *Store
	Registry Registry
	// Shared is what the images of a run have in common. Default: nothing.
	Shared *Shared
	// Made says of images that are pushed how they were made: they get a bill of
	// materials and a provenance. Nil: they get none.
	Made *bom.Build
	// Mender may push layers of which the registry has an older one. May be nil.
	Mender Mender
	Sink   event.Sink
	Step   string // the step that progress belongs to
}

// Push makes the registry hold img in the repository, tagged so that no
// registry's cleaning of untagged manifests takes it, and returns the name
// repository@digest. A layer that the registry has is not sent, and not even
// compressed where that was done before.
func (p Pusher) Push(ctx context.Context, img v1.Image, repository, tag string) (string, Stats, error) {
	start := time.Now()
	ref, stats, err := p.push(ctx, img, repository, tag)
	if errors.Is(err, errStale) {
		ref, stats, err = p.push(ctx, img, repository, tag)
	}
	stats.Took = time.Since(start)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if p.Registry.Denied != "" && denied(err) {
			err = fault.Hint(err, p.Registry.Denied)
		} else {
			err = explain(err)
		}
		return "", stats, fmt.Errorf("pushing image %q: %w", repository, err)
	}
	return ref, stats, nil
}

// Name returns the name that Push would, and sends nothing.
func (p Pusher) Name(ctx context.Context, img v1.Image, repository string) (string, error) {
	out := &outgoing{base: img, layers: map[v1.Hash]v1.Layer{}}
	defer out.close()
	_, pinned, err := p.ready(ctx, out, repository)
	if err != nil {
		return "", fmt.Errorf("preparing image %q for its registry: %w", repository, err)
	}
	return pinned.Name(), nil
}

// ready makes of an image what a registry gets, and the name by which it has it.
func (p Pusher) ready(ctx context.Context, out *outgoing, repository string) (v1.Image, name.Digest, error) {
	repo, err := name.NewRepository(repository, name.WeakValidation)
	if err != nil {
		return nil, name.Digest{}, err
	}
	if err := out.prepare(ctx, p.Store, stepProgress(p.Sink, p.Step, repository)); err != nil {
		return nil, name.Digest{}, err
	}
	ready, err := partial.CompressedToImage(out)
	if err != nil {
		return nil, name.Digest{}, err
	}
	digest, err := ready.Digest()
	if err != nil {
		return nil, name.Digest{}, err
	}
	return ready, repo.Digest(digest.String()), nil
}

func (p Pusher) push(ctx context.Context, img v1.Image, repository, tag string) (string, Stats, error) {
	out := &outgoing{base: img, layers: map[v1.Hash]v1.Layer{}}
	defer out.close()
	ready, pinned, err := p.ready(ctx, out, repository)
	if err != nil {
		return "", Stats{}, err
	}
	if p.Shared == nil {
		p.Shared = &Shared{}
	}
	if _, err := remote.Head(pinned, p.Registry.options(ctx)...); err == nil {
		layers, err := ready.Layers()
		if err != nil {
			return "", Stats{}, err
		}
		return pinned.Name(), Stats{}, p.Shared.has(pinned.Context(), layers)
	}
	if err := p.send(ctx, out, ready, pinned.Context().Tag(tag)); err != nil {
		return "", out.stats(), err
	}
	return pinned.Name(), out.stats(), nil
}

// outgoing is an image as a registry gets it.
type outgoing struct {
	base     v1.Image
	manifest []byte
	media    types.MediaType
	layers   map[v1.Hash]v1.Layer
	bytes    atomic.Int64 // that were read for the registry, some of them maybe again
	arrived  atomic.Int64 // without what was read in vain
	opened   atomic.Int32
	total    int64
	progress func(done, total int64)
}

// prepare compresses what must be and writes the manifest.
func (o *outgoing) prepare(ctx context.Context, store *Store, progress func(done, total int64)) error {
	o.progress = progress
	manifest, err := o.base.Manifest()
	if err != nil {
		return err
	}
	layers, err := o.base.Layers()
	if err != nil {
		return err
	}
	manifest = manifest.DeepCopy()
	mixed := false
	for i, layer := range layers {
		desc := &manifest.Layers[i]
		switch desc.MediaType {
		case types.OCIUncompressedLayer, types.DockerUncompressedLayer:
			small, err := store.compressed(ctx, layer, o.counter())
			if err != nil {
				return err
			}
			mixed = true
			desc.MediaType, desc.Digest, desc.Size = types.OCILayerZStd, small.desc.Digest, small.desc.Size
			o.layers[desc.Digest] = small
		default:
			o.layers[desc.Digest] = &outgoingLayer{layer, o.counter()}
		}
		o.total += desc.Size
	}
	if mixed {
		asOCI(manifest)
	}
	o.media = manifest.MediaType
	o.manifest, err = json.Marshal(manifest)
	return err
}

// asOCI renames the Docker media types of a manifest to the OCI ones, which
// name the same bytes: Docker's know no zstd.
func asOCI(manifest *v1.Manifest) {
	manifest.MediaType = types.OCIManifestSchema1
	manifest.Config.MediaType = types.OCIConfigJSON
	for i, layer := range manifest.Layers {
		switch layer.MediaType {
		case types.DockerLayer:
			manifest.Layers[i].MediaType = types.OCILayer
		case types.DockerUncompressedLayer:
			manifest.Layers[i].MediaType = types.OCIUncompressedLayer
		}
	}
}

// counter returns what counts a layer that is read for the registry, once or, where that
// breaks off, again.
func (o *outgoing) counter() func(io.ReadCloser) io.ReadCloser {
	var once sync.Once
	at := &atomic.Int64{}
	return func(rc io.ReadCloser) io.ReadCloser {
		once.Do(func() { o.opened.Add(1) })
		o.arrived.Add(-at.Swap(0))
		return &sentReader{rc, o, at}
	}
}

// sentReader reads a layer for the registry.
type sentReader struct {
	io.ReadCloser
	out *outgoing
	at  *atomic.Int64
}

func (r *sentReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.out.bytes.Add(int64(n))
	r.moved(int64(n))
	return n, err
}

// skip passes over what the registry has.
func (r *sentReader) skip(n int64) error {
	var err error
	if file, ok := r.ReadCloser.(io.Seeker); ok {
		_, err = file.Seek(n, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, r.ReadCloser, n)
	}
	r.moved(n)
	return err
}

func (r *sentReader) moved(n int64) {
	r.at.Add(n)
	if done := r.out.arrived.Add(n); r.out.progress != nil {
		r.out.progress(done, r.out.total)
	}
}

// open reads a layer from some byte on, as the registry gets it.
func open(layer v1.Layer, at int64) (io.ReadCloser, error) {
	rc, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	if sent, ok := rc.(*sentReader); ok {
		err = sent.skip(at)
	} else {
		_, err = io.CopyN(io.Discard, rc, at)
	}
	if err != nil {
		rc.Close()
	}
	return rc, err
}

func (o *outgoing) stats() Stats {
	return Stats{Images: 1, Layers: int(o.opened.Load()), Bytes: o.bytes.Load()}
}

func (o *outgoing) close() {
	for _, layer := range o.layers {
		if c, ok := layer.(*compressedLayer); ok {
			c.Close()
		}
	}
}

func (o *outgoing) RawConfigFile() ([]byte, error)      { return o.base.RawConfigFile() }
func (o *outgoing) RawManifest() ([]byte, error)        { return o.manifest, nil }
func (o *outgoing) MediaType() (types.MediaType, error) { return o.media, nil }
func (o *outgoing) ConfigLayer() (v1.Layer, error)      { return partial.ConfigLayer(o.base) }

// LayerByDigest is asked once for each layer that travels, and for the config.
func (o *outgoing) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	if layer, ok := o.layers[h]; ok {
		return layer, nil
	}
	return partial.ConfigLayer(o.base)
}

// outgoingLayer counts the bytes of a layer that is sent as it is.
type outgoingLayer struct {
	v1.Layer
	opened func(io.ReadCloser) io.ReadCloser
}

func (l *outgoingLayer) Compressed() (io.ReadCloser, error) {
	rc, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	return l.opened(rc), nil
}
