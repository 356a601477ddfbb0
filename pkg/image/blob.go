package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// LayerWriter takes the tar stream of a layer and hashes it while it goes to
// disk, so that a layer is read and hashed once. End it with Commit or Abort.
type LayerWriter struct {
	ctx   context.Context
	store *Store
	f     *os.File // locked while this process lives, so that prune can tell
	sum   hash.Hash
	size  int64
}

// NewLayer begins an uncompressed layer. Writes fail once ctx is done.
func (s *Store) NewLayer(ctx context.Context) (*LayerWriter, error) {
	f, err := os.CreateTemp(s.path(ingestDir), "blob-*")
	if err != nil {
		return nil, fmt.Errorf("writing a layer: %w", err)
	}
	if _, err := tryLock(f, true); err != nil {
		f.Close()
		return nil, fmt.Errorf("writing a layer: locking %q: %w", f.Name(), err)
	}
	return &LayerWriter{ctx: ctx, store: s, f: f, sum: sha256.New()}, nil
}

// Write takes the next bytes of the tar stream.
func (w *LayerWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, context.Cause(w.ctx)
	}
	n, err := w.f.Write(p)
	w.sum.Write(p[:n])
	w.size += int64(n)
	return n, err
}

// Abort drops what was written. It does nothing after Commit.
func (w *LayerWriter) Abort() {
	if w.f != nil {
		os.Remove(w.f.Name())
		w.f.Close()
		w.f = nil
	}
}

// Commit puts the layer into the store and returns it.
func (w *LayerWriter) Commit() (v1.Layer, error) {
	digest, err := w.commit()
	if err != nil {
		return nil, fmt.Errorf("writing a layer: %w", err)
	}
	return &storedLayer{store: w.store, desc: v1.Descriptor{
		MediaType: types.OCIUncompressedLayer, Digest: digest, Size: w.size,
	}}, nil
}

// commit gives the file its place. A blob that is there already is the same
// by its name, unless its size says that a power failure cut it.
func (w *LayerWriter) commit() (v1.Hash, error) {
	defer w.Abort()
	digest := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(w.sum.Sum(nil))}
	if err := w.f.Chmod(0o644); err != nil {
		return digest, err
	}
	lock, err := lockFile(w.ctx, w.store.path(lockName), false)
	if err != nil {
		return digest, err
	}
	defer lock.unlock()
	if err := w.store.hold(digest); err != nil {
		return digest, err
	}
	if w.store.hasBlob(digest, w.size) {
		return digest, nil
	}
	return digest, os.Rename(w.f.Name(), w.store.blobPath(digest))
}

// putBlob stores what open returns under its digest, unless it is there. It
// returns the bytes written.
func (s *Store) putBlob(ctx context.Context, want v1.Hash, size int64, open func() (io.ReadCloser, error)) (int64, error) {
	present, err := s.claim(ctx, want, size)
	if err != nil || present {
		return 0, err
	}
	r, err := open()
	if err != nil {
		return 0, fmt.Errorf("reading blob %s: %w", want, err)
	}
	defer r.Close()
	w, err := s.NewLayer(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Abort()
	if _, err := io.Copy(w, r); err != nil {
		return 0, fmt.Errorf("writing blob %s: %w", want, err)
	}
	if got := hex.EncodeToString(w.sum.Sum(nil)); got != want.Hex {
		return 0, fmt.Errorf("writing blob %s: the content has digest sha256:%s", want, got)
	}
	if _, err := w.commit(); err != nil {
		return 0, fmt.Errorf("writing blob %s: %w", want, err)
	}
	return w.size, nil
}

// claim marks a blob as in use and reports whether it is there.
func (s *Store) claim(ctx context.Context, h v1.Hash, size int64) (bool, error) {
	lock, err := lockFile(ctx, s.path(lockName), false)
	if err != nil {
		return false, err
	}
	defer lock.unlock()
	if err := s.hold(h); err != nil {
		return false, err
	}
	return s.hasBlob(h, size), nil
}

// hasBlob reports whether a blob is there in full. Blobs are named only after
// all of them is written; the size is checked for the file system that lost
// its tail in a power failure.
func (s *Store) hasBlob(h v1.Hash, size int64) bool {
	info, err := os.Stat(s.blobPath(h))
	return err == nil && info.Mode().IsRegular() && (size < 0 || info.Size() == size)
}

// Layer returns the uncompressed layer with the digest, if the store has it,
// and keeps it in use for the life of this process.
func (s *Store) Layer(ctx context.Context, digest v1.Hash) (v1.Layer, bool, error) {
	present, err := s.claim(ctx, digest, -1)
	if err != nil || !present {
		return nil, false, err
	}
	info, err := os.Stat(s.blobPath(digest))
	if err != nil {
		return nil, false, fmt.Errorf("reading layer %s: %w", digest, err)
	}
	return &storedLayer{store: s, desc: v1.Descriptor{
		MediaType: types.OCIUncompressedLayer, Digest: digest, Size: info.Size(),
	}}, true, nil
}

// bytesOf opens data that is in memory.
func bytesOf(data []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}
