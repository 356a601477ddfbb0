package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/fault"
)

// A file system may keep a file's size and lose its content in a power failure.
// Manifests and configs are small and compared with their digest whenever they
// are read; layers are, once somebody refuses them.

// readBlob returns a small blob. One that is not what its digest says is
// removed and counts as absent, so that it is written anew.
func (s *Store) readBlob(h v1.Hash) ([]byte, error) {
	raw, err := os.ReadFile(s.blobPath(h))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != h.Hex {
		_ = os.Remove(s.blobPath(h))
		return nil, fmt.Errorf("blob %s is damaged: %w", h, fs.ErrNotExist)
	}
	return raw, nil
}

// RemoveDamaged looks for the reason why images of the store were refused, err, in
// their content, which it reads. Blobs that are not what their digest says are
// removed, so that the next run gets them anew, and the error says so.
func (s *Store) RemoveDamaged(err error, names ...string) error {
	var damaged []string
	for _, name := range names {
		entry, found := s.Find(name)
		if found != nil {
			continue
		}
		for blob := range s.members(entry.desc) {
			if !slices.Contains(damaged, blob) && s.damaged(blob) {
				damaged = append(damaged, blob)
			}
		}
	}
	if damaged == nil {
		return err
	}
	return damage(err, damaged...)
}

func damage(err error, blobs ...string) error {
	return fault.Hint(fmt.Errorf("%w: the image store's copy of %s was damaged, and is removed", err, strings.Join(blobs, ", ")),
		"run it again: what is missing is made or pulled anew")
}

// damaged removes a blob that is not what its digest says.
func (s *Store) damaged(blob string) bool {
	h, err := v1.NewHash(blob)
	if err != nil {
		return false
	}
	f, err := os.Open(s.blobPath(h))
	if err != nil {
		return false
	}
	defer f.Close()
	got, _, err := v1.SHA256(f)
	return err == nil && got != h && os.Remove(f.Name()) == nil
}
