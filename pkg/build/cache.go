package build

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zr/pkg/build/internal/inputs"
	"zr/pkg/image"
)

// lockName is a work folder's lock: builds of one service in one folder take
// turns, also those of two zr processes.
const lockName = "lock"

// Dir returns the cache folder, made.
func (d Deps) Dir() (string, error) {
	dir := d.Cache
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding the user's cache directory: %w", err)
		}
		dir = filepath.Join(cache, "zr", "build")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the build cache: %w", err)
	}
	return dir, nil
}

// WorkDir returns a folder of the cache that belongs to the service as its
// request describes it, whatever the mode, made.
func (d Deps) WorkDir(r Request) (string, error) {
	root, err := d.Dir()
	if err != nil {
		return "", err
	}
	spec, err := json.Marshal(r.Spec)
	if err != nil {
		return "", fmt.Errorf("making the build cache: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", r.Root, r.Platform, spec))
	dir := filepath.Join(root, fmt.Sprintf("%s-%s-%x", r.Project, r.Service, sum[:4]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the build cache: %w", err)
	}
	return dir, nil
}

// Inputs returns what the service is built from, as its builder lists it and as
// it is now. The answer is kept in the work folder.
func (d Deps) Inputs(ctx context.Context, r Request, lister inputs.Lister) (*InputSet, error) {
	dir, err := d.WorkDir(r)
	if err != nil {
		return nil, err
	}
	set := inputs.Load(r.Root, filepath.Join(dir, "inputs.json"), lister)
	if err := set.Refresh(ctx); err != nil {
		return set, err
	}
	return set, set.Keep()
}

// LockWorkDir is WorkDir for a build that writes into it: it waits for those
// of others until ctx is done.
func (d Deps) LockWorkDir(ctx context.Context, r Request) (dir string, unlock func(), err error) {
	if dir, err = d.WorkDir(r); err != nil {
		return "", nil, err
	}
	if unlock, err = image.Lock(ctx, filepath.Join(dir, lockName)); err != nil {
		return "", nil, err
	}
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // Clean goes by it; a folder that looks older is only made again
	return dir, unlock, nil
}

// Clean removes the work folders that no build used for so long, and returns
// the bytes that it freed. What a build needs of them it makes again.
func (d Deps) Clean(ctx context.Context, unused time.Duration) (freed int64, err error) {
	root, err := d.Dir()
	if err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return 0, fmt.Errorf("cleaning the build cache: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || time.Since(info.ModTime()) < unused {
			continue
		}
		bytes, err := removeWorkDir(ctx, filepath.Join(root, e.Name()))
		if err != nil {
			return freed, fmt.Errorf("cleaning the build cache: %w", err)
		}
		freed += bytes
	}
	return freed, nil
}

func removeWorkDir(ctx context.Context, dir string) (bytes int64, err error) {
	unlock, err := image.Lock(ctx, filepath.Join(dir, lockName))
	if err != nil {
		return 0, err
	}
	defer unlock()
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes, errors.Join(err, os.RemoveAll(dir))
}
