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
	"zr/pkg/fault"
	"zr/pkg/image"
)

// attempts is how often Make builds again because the sources changed under
// the compiler. Who saves all the time gets an error, not an endless build.
const attempts = 3

// Frame is what Make needs to know of a build.
type Frame struct {
	Request Request
	Inputs  *InputSet
	// Base is the name of the image below, if there is one: another image
	// under that name makes the build stale.
	Base string
	// Further is what the image depends on besides these.
	Further []string
	// Assemble makes the image.
	Assemble func(ctx context.Context) (v1.Image, error)
}

// Make is the frame of every Build: it returns the image of the same inputs
// from the store where there is one, and otherwise what Assemble makes. It
// makes sure that the image is the one of the set's hash, also where a file
// was saved while the compiler ran.
func (d Deps) Make(ctx context.Context, f Frame) (Result, error) {
	start := time.Now()
	further, err := d.further(f.Request, f.Further)
	if err != nil {
		return Result{}, err
	}
	base, err := d.baseDigest(ctx, f.Base)
	if err != nil {
		return Result{}, err
	}
	repository := image.LocalName(f.Request.Project, f.Request.Service)
	for range attempts {
		sum := f.Inputs.Sum()
		if f.Base == "" || base != "" {
			entry, err := d.Store.FindKey(repository, keyOf(sum, base, further))
			if err == nil {
				return d.result(ctx, f, entry, start, true)
			}
			if !errors.Is(err, image.ErrNotFound) {
				return Result{}, err
			}
		}
		if d.Missing != nil {
			d.Missing()
		}
		img, err := f.Assemble(ctx)
		if err != nil {
			return Result{}, err
		}
		if err := f.Inputs.Refresh(ctx); err != nil {
			return Result{}, err
		}
		if base == "" {
			if base, err = d.baseDigest(ctx, f.Base); err != nil {
				return Result{}, err
			}
		}
		if f.Inputs.Sum() != sum {
			continue
		}
		entry, err := d.Store.PutPinned(ctx, repository, img, image.Built, keyOf(sum, base, further))
		if err != nil {
			return Result{}, err
		}
		return d.result(ctx, f, entry, start, false)
	}
	return Result{}, fault.Hint(fmt.Errorf("the sources changed during each of %d builds", attempts),
		"what a build itself writes among its sources belongs into .gitignore or .zrignore")
}

// baseDigest returns the digest of a base image, or "" where the store lacks
// it: then there is no build on it either, and getting it can go along with
// the rest of the work. Where the store has it, Base says whether it still is
// what its name means.
func (d Deps) baseDigest(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	if _, err := d.Store.Find(ref); errors.Is(err, image.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	img, err := d.Base(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("finding the base image: %w", err)
	}
	digest, err := img.Digest()
	return digest.String(), err
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

func (d Deps) result(ctx context.Context, f Frame, entry image.Entry, start time.Time, cached bool) (Result, error) {
	img, err := d.Store.Get(ctx, entry.Name)
	if err != nil {
		return Result{}, err
	}
	var files []string
	for _, file := range f.Inputs.Files() {
		files = append(files, file.Path)
	}
	return Result{
		Service: f.Request.Service, Mode: f.Request.Mode, Name: strings.TrimPrefix(entry.Name, image.Local+"/"), Digest: entry.Digest,
		InputHash: f.Inputs.Hash(), Cached: cached, Took: time.Since(start), Files: files, Image: img,
	}, nil
}

// keyOf hashes what an image is made from.
func keyOf(sum, base string, further []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%q\n", sum, base, further)
	return hex.EncodeToString(h.Sum(nil))
}
