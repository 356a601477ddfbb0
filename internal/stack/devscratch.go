package stack

import (
	"fmt"
	"os"
	"path/filepath"
)

// makeScratch makes the folder that compiled programs wait in to be sent. It has
// one place for each environment, which lockDev keeps to one `zr dev` at a time:
// what a killed one has left there is cleared away.
func makeScratch(set string) (dir string, remove func(), err error) {
	if dir, err = scratchDir(set); err != nil {
		return "", nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", nil, fmt.Errorf("clearing the folder for the compiler: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("making a folder for the compiler: %w", err)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

func scratchDir(set string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder for the compiler: %w", err)
	}
	return filepath.Join(cache, "zr", "dev", set), nil
}
