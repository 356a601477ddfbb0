package image

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"golang.org/x/sync/errgroup"
)

// Source says where an image of the store came from.
type Source string

// The sources of images.
const (
	Built  Source = "built"  // from the project's sources
	Pulled Source = "pulled" // from a registry
	Recipe Source = "recipe" // made where no registry answered
)

// Annotations of an image's descriptor in index.json. The first two are the
// ones that containerd and the tools around OCI layouts read.
const (
	annotationName    = "io.containerd.image.name"
	annotationRef     = "org.opencontainers.image.ref.name"
	annotationCreated = "org.opencontainers.image.created"
	annotationSource  = "dev.zr.source"
	annotationKey     = "dev.zr.key"
)

// ErrNotFound says that the store has no such image.
var ErrNotFound = errors.New("not in the image store")

// Entry is one image of the store.
type Entry struct {
	Name     string    `json:"name"`   // normalized, with tag or digest
	Digest   string    `json:"digest"` // of the manifest
	Size     int64     `json:"size"`   // bytes, layers shared with other images included
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"lastUsed"`
	Source   Source    `json:"source"`
	Key      string    `json:"key,omitempty"` // what it was made from: an input hash or a recipe's key

	desc v1.Descriptor
}

// Put stores img under name and returns its entry. With an unpinned name of a
// built image use PutPinned. Blobs that the store has are not read again.
func (s *Store) Put(ctx context.Context, name string, img v1.Image, source Source, key string) (Entry, error) {
	full, err := Normalize(name)
	if err != nil {
		return Entry{}, err
	}
	entry, err := s.put(ctx, full, img, source, key)
	if err != nil {
		return Entry{}, fmt.Errorf("storing image %q: %w", name, err)
	}
	return entry, nil
}

// PutPinned stores img as repository@digest.
func (s *Store) PutPinned(ctx context.Context, repository string, img v1.Image, source Source, key string) (Entry, error) {
	digest, err := img.Digest()
	if err != nil {
		return Entry{}, fmt.Errorf("storing image %q: %w", repository, err)
	}
	name, err := Pin(repository, digest)
	if err != nil {
		return Entry{}, err
	}
	return s.Put(ctx, name, img, source, key)
}

func (s *Store) put(ctx context.Context, name string, img v1.Image, source Source, key string) (Entry, error) {
	desc, err := partial.Descriptor(img)
	if err != nil {
		return Entry{}, err
	}
	written, err := s.writeImage(ctx, img, *desc)
	if err != nil {
		return Entry{}, err
	}
	created := s.now().UTC().Truncate(time.Second)
	desc.Annotations = map[string]string{
		annotationName: name, annotationRef: name,
		annotationCreated: created.Format(time.RFC3339),
		annotationSource:  string(source), annotationKey: key,
	}
	err = s.update(ctx, func(index *v1.IndexManifest) (bool, error) {
		index.Manifests = slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Annotations[annotationName] == name })
		index.Manifests = append(index.Manifests, *desc)
		return true, nil
	})
	if err != nil {
		return Entry{}, err
	}
	s.touch(desc.Digest)
	if written > 0 {
		if err := s.trim(ctx); err != nil {
			return Entry{}, err
		}
	}
	return s.entry(*desc), nil
}

// parallelLayers is how many layers travel at once: one connection rarely
// fills the line, and more than a few only share it.
const parallelLayers = 4

// writeImage writes the blobs of an image, the manifest last: where the
// manifest is, the rest is too.
func (s *Store) writeImage(ctx context.Context, img v1.Image, desc v1.Descriptor) (int64, error) {
	layers, err := img.Layers()
	if err != nil {
		return 0, err
	}
	written, err := s.writeLayers(ctx, layers)
	if err != nil {
		return written, err
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return written, err
	}
	configName, err := img.ConfigName()
	if err != nil {
		return written, err
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return written, err
	}
	for _, blob := range []struct {
		digest v1.Hash
		data   []byte
	}{{configName, config}, {desc.Digest, manifest}} {
		n, err := s.putBlob(ctx, blob.digest, int64(len(blob.data)), bytesOf(blob.data))
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

func (s *Store) writeLayers(ctx context.Context, layers []v1.Layer) (written int64, err error) {
	sizes := make([]int64, len(layers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelLayers)
	for i, layer := range layers {
		group.Go(func() (err error) {
			sizes[i], err = s.putLayer(ctx, layer)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	for _, n := range sizes {
		written += n
	}
	return written, nil
}

func (s *Store) putLayer(ctx context.Context, layer v1.Layer) (int64, error) {
	digest, err := layer.Digest()
	if err != nil {
		return 0, err
	}
	size, err := layer.Size()
	if err != nil {
		return 0, err
	}
	return s.putBlob(ctx, digest, size, layer.Compressed)
}

// Find returns the entry of a name, which need not be normalized. A name that
// carries a digest is found by the digest under any repository. The error is
// ErrNotFound where the image is not there in full.
func (s *Store) Find(name string) (Entry, error) {
	full, err := Normalize(name)
	if err != nil {
		return Entry{}, err
	}
	index, err := s.index()
	if err != nil {
		return Entry{}, err
	}
	digest, pinned := digestOf(full)
	for _, desc := range index.Manifests {
		named := desc.Annotations[annotationName] == full
		if (named || pinned && desc.Digest == digest) && s.complete(desc) {
			entry := s.entry(desc)
			entry.Name = full
			return entry, nil
		}
	}
	return Entry{}, fmt.Errorf("image %q: %w", name, ErrNotFound)
}

// FindKey returns the entry of a repository that was made from key. The error
// is ErrNotFound where there is none in full.
func (s *Store) FindKey(repository, key string) (Entry, error) {
	index, err := s.index()
	if err != nil {
		return Entry{}, err
	}
	for _, desc := range index.Manifests {
		if desc.Annotations[annotationKey] == key && repositoryOf(desc.Annotations[annotationName]) == repository && s.complete(desc) {
			s.touch(desc.Digest)
			return s.entry(desc), nil
		}
	}
	return Entry{}, fmt.Errorf("image %q made from %s: %w", repository, key, ErrNotFound)
}

// Get returns an image by name and keeps it in use while this process lives.
func (s *Store) Get(ctx context.Context, name string) (v1.Image, error) {
	lock, err := lockFile(ctx, s.path(lockName), false)
	if err != nil {
		return nil, err
	}
	defer lock.unlock()
	entry, err := s.Find(name)
	if err != nil {
		return nil, err
	}
	if err := s.hold(entry.desc.Digest); err != nil {
		return nil, err
	}
	s.touch(entry.desc.Digest)
	img, err := s.open(entry.desc)
	if err != nil {
		return nil, fmt.Errorf("opening image %q: %w", name, err)
	}
	return img, nil
}

// Has reports whether the store holds the image in full, and counts as a use.
// It reads no layer.
func (s *Store) Has(name string) bool {
	entry, err := s.Find(name)
	if err == nil {
		s.touch(entry.desc.Digest)
	}
	return err == nil
}

// List returns all images, the last used first.
func (s *Store) List() ([]Entry, error) {
	index, err := s.index()
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(index.Manifests))
	for _, desc := range index.Manifests {
		entries = append(entries, s.entry(desc))
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.Name, b.Name))
	})
	return entries, nil
}

func (s *Store) entry(desc v1.Descriptor) Entry {
	e := Entry{
		Name: desc.Annotations[annotationName], Digest: desc.Digest.String(),
		Source: Source(desc.Annotations[annotationSource]), Key: desc.Annotations[annotationKey], desc: desc,
	}
	e.Created, _ = time.Parse(time.RFC3339, desc.Annotations[annotationCreated])
	if info, err := os.Stat(s.blobPath(desc.Digest)); err == nil {
		e.LastUsed = info.ModTime()
	}
	if manifest, _, err := s.manifest(desc); err == nil {
		e.Size = desc.Size + manifest.Config.Size
		for _, layer := range manifest.Layers {
			e.Size += layer.Size
		}
	}
	return e
}

// touch notes a use: the modification time of an image's manifest is when it
// was used last, which costs no write to the index. It is a hint for pruning,
// so that a read-only store is no reason to fail.
func (s *Store) touch(digest v1.Hash) {
	now := s.now()
	_ = os.Chtimes(s.blobPath(digest), now, now)
}

// complete reports whether all blobs of an image are there.
func (s *Store) complete(desc v1.Descriptor) bool {
	manifest, _, err := s.manifest(desc)
	if err != nil || !s.hasBlob(manifest.Config.Digest, manifest.Config.Size) {
		return false
	}
	for _, layer := range manifest.Layers {
		if !s.hasBlob(layer.Digest, layer.Size) {
			return false
		}
	}
	return true
}

func (s *Store) manifest(desc v1.Descriptor) (*v1.Manifest, []byte, error) {
	raw, err := os.ReadFile(s.blobPath(desc.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("manifest %s: %w", desc.Digest, ErrNotFound)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading manifest %s: %w", desc.Digest, err)
	}
	var manifest v1.Manifest
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil, nil, fmt.Errorf("reading manifest %s: %w", desc.Digest, err)
	}
	return &manifest, raw, nil
}

func (s *Store) open(desc v1.Descriptor) (v1.Image, error) {
	manifest, raw, err := s.manifest(desc)
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(&storedImage{store: s, desc: desc, manifest: manifest, raw: raw})
}
