package recipe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cache is a folder that several zr processes share. What is in it has its
// name from what it was made from, and gets it by a rename once it is whole.
type cache struct {
	root string
	lock *os.File // shared while a process uses the cache
}

// The folders of a cache, beside one for each kind of part.
const (
	workDir  = "work"  // what is being made; nothing in it is believed
	locksDir = "locks" // one file for each part that is being made
)

// openCache creates the cache where there is none, and clears what killed
// runs left where no other run uses it.
func openCache(root string) (*cache, error) {
	c := &cache{root: root}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("opening the recipe cache: %w", err)
	}
	lock, err := os.OpenFile(c.path("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the recipe cache: %w", err)
	}
	c.lock = lock
	if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = os.RemoveAll(c.path(workDir)) // what stays is in nobody's way
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_SH); err != nil {
		lock.Close()
		return nil, fmt.Errorf("locking the recipe cache: %w", err)
	}
	for _, dir := range []string{workDir, locksDir, "layers"} { // which nobody removes as long as it is locked
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			lock.Close()
			return nil, fmt.Errorf("opening the recipe cache: %w", err)
		}
	}
	return c, nil
}

func (c *cache) close() { c.lock.Close() }

func (c *cache) path(parts ...string) string {
	return filepath.Join(append([]string{c.root}, parts...)...)
}

// part returns the path of a part, made once by whoever comes first, in any
// process: build writes it to a path in the work folder. A part whose content
// is no longer what was written is made again.
func (c *cache) part(ctx context.Context, kind, key string, build func(path string) error) (string, error) {
	final := c.path(kind, key)
	if whole(final) {
		return final, nil
	}
	unlock, err := c.lockPart(ctx, kind+"-"+key)
	if err != nil {
		return "", err
	}
	defer unlock()
	if whole(final) {
		return final, nil
	}
	dir, err := os.MkdirTemp(c.path(workDir), kind+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "part")
	if err := build(made); err != nil {
		return "", err
	}
	sum, err := contentSum(made)
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(final), 0o755), os.RemoveAll(final)); err != nil {
		return "", err
	}
	if err := writeFile(final+sumSuffix, []byte(sum)); err != nil {
		return "", err
	}
	return final, os.Rename(made, final)
}

// sumSuffix is the end of the name of the file that has a part's sum.
const sumSuffix = ".sum"

// whole says whether a part is there as it was written. One without a sum was
// made by a zr that wrote none.
func whole(part string) bool {
	if _, err := os.Stat(part); err != nil {
		return false
	}
	kept, err := os.ReadFile(part + sumSuffix)
	if err != nil {
		return true
	}
	sum, err := contentSum(part)
	return err == nil && sum == string(kept)
}

// contentSum hashes a file, or all that is in a folder.
func contentSum(part string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(part, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		fmt.Fprintf(h, "%q\n", strings.TrimPrefix(name, part))
		_, err = io.Copy(h, file)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// lockPoll is how often a lock that another has is asked for again: flock(2)
// cannot be waited for and cancelled.
const lockPoll = 100 * time.Millisecond

// lockPart waits until nobody else makes a part. The kernel gives a lock back
// when the process ends, however it does.
func (c *cache) lockPart(ctx context.Context, name string) (unlock func(), err error) {
	file, err := os.OpenFile(c.path(locksDir, name), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			file.Close()
			return nil, fmt.Errorf("locking %s: %w", name, err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, context.Cause(ctx)
		case <-time.After(lockPoll):
		}
	}
}

// writeFile writes a small file under its name at once.
func writeFile(path string, content []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if _, err := temp.Write(content); err != nil {
		temp.Close()
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
