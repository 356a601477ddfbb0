package watch

import (
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"zr/pkg/bounded"
)

// largestHashed bounds what a save costs to look at: sources are smaller, and
// what is larger counts as changed whenever it is written.
const largestHashed = 4 << 20

// seen remembers the content of the files that were reported, so that a save
// which changes nothing is no change. What it has not seen yet counts as new:
// to read a whole tree at the start would cost more than one build too many.
type seen struct {
	seed  maphash.Seed
	files map[string]uint64
	buf   []byte
}

func newSeen() *seen {
	return &seen{seed: maphash.MakeSeed(), files: map[string]uint64{}, buf: make([]byte, 32<<10)}
}

// changed says whether a file holds something else than when it was last asked.
func (s *seen) changed(path string, info fs.FileInfo) bool {
	sum, ok := s.sum(path, info)
	if !ok {
		delete(s.files, path)
		return true
	}
	old, known := s.files[path]
	s.files[path] = sum
	return !known || old != sum
}

// removed notes that a path is gone: when it comes back, it is news.
func (s *seen) removed(path string) { delete(s.files, path) }

// forget drops what is known of the files below a folder that is gone: when
// it comes back, they are news.
func (s *seen) forget(dir string) {
	for path := range s.files {
		if path != dir && within(path, dir) {
			delete(s.files, path)
		}
	}
}

// tick is the coarsest step of the kernel's clock for file times (100 Hz).
const tick = 10 * time.Millisecond

// onlyAttributes says that what happened to a file last was neither a write,
// nor a touch, nor a second hard link to it: its mode, owner or the like changed.
func onlyAttributes(info fs.FileInfo) bool {
	st := info.Sys().(*syscall.Stat_t)
	return st.Nlink == 1 && changeTime(st).Sub(info.ModTime()).Abs() > tick
}

// sum covers the content and the mode, since a build may put both into an
// image.
func (s *seen) sum(path string, info fs.FileInfo) (uint64, bool) {
	var h maphash.Hash
	h.SetSeed(s.seed)
	maphash.WriteComparable(&h, info.Mode())
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		_, _ = h.WriteString(target)
		return h.Sum64(), err == nil
	case !info.Mode().IsRegular() || info.Size() > largestHashed:
		return 0, false
	}
	f, err := bounded.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	_, err = io.CopyBuffer(onlyWriter{&h}, onlyReader{f}, s.buf)
	return h.Sum64(), err == nil
}

// onlyWriter and onlyReader keep io.CopyBuffer from taking a way of its own,
// with a buffer of its own.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)
