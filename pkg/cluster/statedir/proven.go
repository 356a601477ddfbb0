package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const provenPrefix = "proven-"

// Proven says whether all of an environment was found healthy at the end of a whole
// wait, and nothing has been applied since. It makes nothing.
func Proven(set string) bool {
	path, err := where(provenPrefix + set)
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// Prove notes that all of an environment was found healthy.
func Prove(set string) error {
	path, err := file(provenPrefix + set)
	if err != nil {
		return err
	}
	return Write(path, nil)
}

// Unprove notes that nobody knows how the services of an environment are. It is called
// before anything is applied.
func Unprove(set string) error {
	path, err := file(provenPrefix + set)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting how environment %q was: %w", set, err)
	}
	return nil
}
