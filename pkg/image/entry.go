package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
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
