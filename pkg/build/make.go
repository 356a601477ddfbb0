package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/build/internal/inputs"
	"zr/pkg/image"
)

// attempts is how often Make builds again because the sources changed under
// the compiler. Who saves all the time gets an error, not an endless build.
const attempts = 3

// Make is the frame of every Build: it returns the image of the same inputs
// from the store where there is one, and otherwise what assemble makes. It
// makes sure that the image is the one of the set's hash, also where a file
// was saved while the compiler ran. further is what the image depends on
// besides the inputs.
func (d Deps) Make(ctx context.Context, r Request, set *InputSet, further []string, assemble func(ctx context.Context) (v1.Image, error)) (Result, error) {
	start := time.Now()
	further, err := d.further(r, further)
	if err != nil {
		return Result{}, err
	}
	repository := image.LocalName(r.Project, r.Service)
	for range attempts {
		sum := set.Sum()
		key := keyOf(sum, further)
		if entry, err := d.Store.FindKey(repository, key); err == nil {
			return d.result(ctx, r, set, entry, start, true)
		} else if !errors.Is(err, image.ErrNotFound) {
			return Result{}, err
		}
		img, err := assemble(ctx)
		if err != nil {
			return Result{}, err
		}
		if err := set.Refresh(ctx); err != nil {
			return Result{}, err
		}
		if set.Sum() != sum {
			continue
		}
		entry, err := d.Store.PutPinned(ctx, repository, img, image.Built, key)
		if err != nil {
			return Result{}, err
		}
		return d.result(ctx, r, set, entry, start, false)
	}
	return Result{}, fmt.Errorf("the sources changed during each of %d builds", attempts)
}

// further adds what every image depends on.
func (d Deps) further(r Request, further []string) ([]string, error) {
	further = append([]string{string(r.Mode), r.Platform}, further...)
	if r.Mode != Dev {
		return further, nil
	}
	dir, err := d.Dir()
	if err != nil {
		return nil, err
	}
	hash, err := inputs.CachedHash(filepath.Join(dir, "agent.json"), r.Agent)
	if err != nil {
		return nil, fmt.Errorf("reading the live-reload agent: %w", err)
	}
	return append(further, hash), nil
}

func (d Deps) result(ctx context.Context, r Request, set *InputSet, entry image.Entry, start time.Time, cached bool) (Result, error) {
	img, err := d.Store.Get(ctx, entry.Name)
	if err != nil {
		return Result{}, err
	}
	var files []string
	for _, f := range set.Files() {
		files = append(files, f.Path)
	}
	return Result{
		Service: r.Service, Name: strings.TrimPrefix(entry.Name, image.Local+"/"), Digest: entry.Digest,
		InputHash: set.Hash(), Cached: cached, Took: time.Since(start), Files: files, Image: img,
	}, nil
}

// keyOf hashes what an image is made from.
func keyOf(sum string, further []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q\n", sum, further)
	return hex.EncodeToString(h.Sum(nil))
}
