package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	specs "github.com/google/go-containerregistry/pkg/v1/types"

	"zr/pkg/fault"
)

// DefaultBudget is what the store may hold on disk, in bytes: a few node
// images of 1 GB and hundreds of builds, on a disk that a developer has.
const DefaultBudget = 20 << 30

// The files of a store, beside the blobs folder of an OCI layout.
const (
	layoutFile   = "oci-layout"
	indexFile    = "index.json"
	lockName     = "zr.lock"
	ingestDir    = "ingest"     // files on their way into blobs
	leaseDir     = "leases"     // what living processes use
	compressDir  = "compressed" // what Push learned about compressed layers
	layoutHeader = `{"imageLayoutVersion":"1.0.0"}`
)

// Store is an OCI image layout on disk that any number of zr processes share.
// Every file appears under its name by a rename, so that a process may be
// killed at any point and a half-written blob is never believed. All methods
// are safe for concurrent use.
type Store struct {
	root   string
	budget int64            // bytes above which Put drops what was not used for longest
	now    func() time.Time // tests have others

	mu    sync.Mutex
	lease *fileLock           // of this process, opened on first use
	held  map[string]struct{} // what the lease names already
}

// DefaultDir returns the store's folder in the user's cache directory.
func DefaultDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fault.Hint(fmt.Errorf("finding the user's cache directory: %w", err), "set HOME, or XDG_CACHE_HOME to a folder")
	}
	return filepath.Join(cache, "zr", "images"), nil
}

// Open returns the store in dir and creates it where there is none.
func Open(dir string) (*Store, error) {
	s := &Store{root: dir, budget: DefaultBudget, now: time.Now, held: map[string]struct{}{}}
	for _, sub := range []string{filepath.Join("blobs", "sha256"), ingestDir, leaseDir, compressDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fault.Hint(fmt.Errorf("opening image store %q: %w", dir, err), "XDG_CACHE_HOME puts it elsewhere")
		}
	}
	if _, err := os.Stat(s.path(layoutFile)); errors.Is(err, fs.ErrNotExist) {
		if err := s.replace(layoutFile, []byte(layoutHeader)); err != nil {
			return nil, fmt.Errorf("opening image store %q: %w", dir, err)
		}
	}
	return s, nil
}

// Dir returns the folder of the layout, for tools that read it themselves.
func (s *Store) Dir() string { return s.root }

// Close gives up what this process holds in use. The Store must not be used
// afterwards. A process that ends without it holds nothing either.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return nil
	}
	err := os.Remove(s.lease.f.Name())
	s.lease.unlock()
	s.lease = nil
	return err
}

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.root}, elem...)...)
}

func (s *Store) blobPath(h v1.Hash) string { return s.path("blobs", h.Algorithm, h.Hex) }

// hold writes digests into this process's lease, so that no prune drops them
// while it lives. The caller holds the store's lock, shared or exclusive:
// otherwise a prune that has read the leases already would not know of it.
func (s *Store) hold(digests ...v1.Hash) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fresh []byte
	for _, h := range digests {
		if _, ok := s.held[h.String()]; !ok {
			s.held[h.String()] = struct{}{}
			fresh = append(fresh, h.String()+"\n"...)
		}
	}
	if fresh == nil {
		return nil
	}
	if s.lease == nil {
		f, err := os.CreateTemp(s.path(leaseDir), fmt.Sprintf("%d-*", os.Getpid()))
		if err != nil {
			return fmt.Errorf("marking images as in use: %w", err)
		}
		if ok, err := tryLock(f, true); err != nil || !ok {
			f.Close()
			return fmt.Errorf("marking images as in use: locking %q: %w", f.Name(), err)
		}
		s.lease = &fileLock{f}
	}
	if _, err := s.lease.f.Write(fresh); err != nil {
		return fmt.Errorf("marking images as in use: %w", err)
	}
	return nil
}

// index returns what index.json lists; an absent file is an empty index, and so
// is one that a power failure took the content of: all images can be had again.
func (s *Store) index() (*v1.IndexManifest, error) {
	raw, err := os.ReadFile(s.path(indexFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading image store: %w", err)
	}
	var index v1.IndexManifest
	if err != nil || json.Unmarshal(raw, &index) != nil {
		return &v1.IndexManifest{SchemaVersion: 2, MediaType: specs.OCIImageIndex}, nil
	}
	return &index, nil
}

// update changes index.json under the exclusive lock. change returns whether
// there is anything to write.
func (s *Store) update(ctx context.Context, change func(*v1.IndexManifest) (bool, error)) error {
	lock, err := lockFile(ctx, s.path(lockName), true)
	if err != nil {
		return err
	}
	defer lock.unlock()
	index, err := s.index()
	if err != nil {
		return err
	}
	if changed, err := change(index); err != nil || !changed {
		return err
	}
	return s.writeIndex(index)
}

func (s *Store) writeIndex(index *v1.IndexManifest) error {
	raw, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("writing image store: %w", err)
	}
	if err := s.replace(indexFile, raw); err != nil {
		return fmt.Errorf("writing image store: %w", err)
	}
	return nil
}

// replace writes a file of the store in one step.
func (s *Store) replace(name string, data []byte) error {
	f, err := os.CreateTemp(s.path(ingestDir), "file-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.path(name))
}
