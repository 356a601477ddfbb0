package inputs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// CachedHash returns the sha256 of one large file, and reads it only where its
// stat differs from the one that the cache file holds.
func CachedHash(cache, path string) (string, error) {
	current, err := statOf(path, time.Now())
	if err != nil {
		return "", err
	}
	if current.Absent {
		return "", fmt.Errorf("%q: %w", path, fs.ErrNotExist)
	}
	kept := map[string]known{}
	if raw, err := os.ReadFile(cache); err == nil {
		_ = json.Unmarshal(raw, &kept) // an unreadable cache is an empty one
	}
	if k, ok := kept[path]; ok && k.Stat.same(current) {
		return k.Hash, nil
	}
	hash, err := HashFile(path)
	if err != nil {
		return "", err
	}
	return hash, writeJSON(cache, map[string]known{path: {Stat: current, Hash: hash}})
}

// writeJSON replaces a cache file in one step.
func writeJSON(path string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	defer os.Remove(f.Name()) // fails after the rename
	_, err = f.Write(raw)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
