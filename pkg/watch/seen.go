package watch

import (
	"hash/maphash"
	"io"
	"io/fs"
	"os"
)

// largestHashed bounds what a save costs to look at: sources are smaller, and
// what is larger counts as changed whenever it is written.
const largestHashed = 4 << 20

// seen remembers the content of the files that were reported, so that a save
// which changes nothing is no change. What it has not seen yet counts as new.
type seen struct {
	seed  maphash.Seed
	files map[string]uint64
}

func newSeen() *seen { return &seen{seed: maphash.MakeSeed(), files: map[string]uint64{}} }

// changed says whether a file holds something else than when it was last asked.
func (s *seen) changed(path string, info fs.FileInfo) bool {
	sum, ok := s.sum(path, info)
	old, known := s.files[path]
	if !ok {
		delete(s.files, path)
		return true
	}
	s.files[path] = sum
	return !known || old != sum
}

// removed says whether the absence of a path is news.
func (s *seen) removed(path string) bool {
	const absent = 0
	old, known := s.files[path]
	s.files[path] = absent
	return !known || old != absent
}

func (s *seen) sum(path string, info fs.FileInfo) (uint64, bool) {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.WriteString(info.Mode().String())
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		_, _ = h.WriteString(target)
		return h.Sum64() | 1, err == nil
	}
	if !info.Mode().IsRegular() || info.Size() > largestHashed {
		return 0, false
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	_, err = io.Copy(&h, f)
	return h.Sum64() | 1, err == nil // never 0, which stands for absent
}
