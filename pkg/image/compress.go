package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// errStale says that a layer now compresses to other bytes than it did when
// its digest was learned: zr was built with another version of the encoder.
var errStale = errors.New("the layer compresses to other bytes than before")

// compressedLayer is an uncompressed layer as a registry gets it. What it compresses to
// is a function of its content and of the encoder. So the digest is learned once and
// kept in the store, and the bytes are made again only where a registry lacks them. It
// has a temporary file until Close.
type compressedLayer struct {
	ctx    context.Context
	store  *Store
	base   v1.Layer
	diffID v1.Hash
	opened func(io.ReadCloser) io.ReadCloser // counts what is read

	mu   sync.Mutex
	desc learned
	file string
}

// learned is what is kept about a compressed layer.
type learned struct {
	Digest v1.Hash `json:"digest"`
	Size   int64   `json:"size"`
}

// compressed returns the layer with its digest, compressing it if that was
// never done.
func (s *Store) compressed(ctx context.Context, base v1.Layer, opened func(io.ReadCloser) io.ReadCloser) (*compressedLayer, error) {
	diffID, err := base.DiffID()
	if err != nil {
		return nil, err
	}
	l := &compressedLayer{ctx: ctx, store: s, base: base, diffID: diffID, opened: opened}
	if l.recall() {
		return l, nil
	}
	if l.desc, err = l.make(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(l.desc)
	if err != nil {
		return nil, err
	}
	return l, s.replace(l.learnedName(), raw)
}

// recall reports whether the layer was compressed before, and what it became is known.
func (l *compressedLayer) recall() bool {
	raw, err := os.ReadFile(l.store.path(l.learnedName()))
	return err == nil && json.Unmarshal(raw, &l.desc) == nil && l.desc.Digest.Hex != ""
}

func (l *compressedLayer) learnedName() string {
	return filepath.Join(compressDir, l.diffID.Hex+".zstd")
}

// make compresses the layer into a temporary file. One encoder goroutine and
// a fixed level keep the result the same on every machine.
func (l *compressedLayer) make() (learned, error) {
	r, err := l.base.Uncompressed()
	if err != nil {
		return learned{}, err
	}
	defer r.Close()
	f, err := os.CreateTemp(l.store.path(ingestDir), "push-*")
	if err != nil {
		return learned{}, err
	}
	defer f.Close()
	l.file = f.Name()
	sum := sha256.New()
	out := &meter{w: io.MultiWriter(f, sum)}
	encoder, err := zstd.NewWriter(&stopping{l.ctx, out}, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return learned{}, err
	}
	content := sha256.New()
	if _, err := io.Copy(encoder, io.TeeReader(r, content)); err != nil {
		encoder.Close()
		return learned{}, fmt.Errorf("compressing layer %s: %w", l.diffID, err)
	}
	if err := encoder.Close(); err != nil {
		return learned{}, fmt.Errorf("compressing layer %s: %w", l.diffID, err)
	}
	if hex.EncodeToString(content.Sum(nil)) != l.diffID.Hex {
		_ = os.Remove(l.store.blobPath(l.diffID))
		return learned{}, damage(errors.New("compressing a layer"), l.diffID.String())
	}
	return learned{Digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}, Size: out.done}, nil
}

// Close removes the temporary file.
func (l *compressedLayer) Close() {
	if l.file != "" {
		os.Remove(l.file)
	}
}

func (l *compressedLayer) Digest() (v1.Hash, error)             { return l.desc.Digest, nil }
func (l *compressedLayer) DiffID() (v1.Hash, error)             { return l.diffID, nil }
func (l *compressedLayer) Size() (int64, error)                 { return l.desc.Size, nil }
func (l *compressedLayer) MediaType() (types.MediaType, error)  { return types.OCILayerZStd, nil }
func (l *compressedLayer) Uncompressed() (io.ReadCloser, error) { return l.base.Uncompressed() }

// Compressed returns the bytes for the registry. The error is errStale where
// they are not those that the digest was learned from.
func (l *compressedLayer) Compressed() (io.ReadCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == "" {
		desc, err := l.make()
		if err != nil {
			return nil, err
		}
		if desc != l.desc {
			os.Remove(l.store.path(l.learnedName()))
			return nil, fmt.Errorf("layer %s: %w", l.diffID, errStale)
		}
	}
	f, err := os.Open(l.file)
	if err != nil {
		return nil, err
	}
	return l.opened(f), nil
}
