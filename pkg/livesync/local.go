package livesync

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"zr/pkg/agentspec/wire"
	"zr/pkg/bounded"
)

// content is a local file as it was when it was hashed.
type content struct {
	wire.File
	leaves []wire.Sum
	stamp  stamp
	at     time.Time
}

// stamp changes whenever a file does, as long as the clock of the file system
// has ticked in between.
type stamp struct {
	dev, inode   uint64
	size         int64
	mtime, ctime syscall.Timespec
}

// racy is how old a file must have been when it was hashed for its stamp to
// be trusted: the coarsest clock of a file system in use (FAT, two seconds).
const racy = 2 * time.Second

// locals remembers the hashes of local files. It is safe for concurrent use.
type locals struct {
	mu    sync.Mutex
	known map[string]content
}

func newLocals() *locals { return &locals{known: map[string]content{}} }

// look returns the content of a file, read again where it may have changed.
// What is no file, or lies below one, does not exist: a folder may have taken
// the place of a file, or a file that of a folder.
func (l *locals) look(path string) (content, error) {
	info, err := os.Stat(path)
	if errors.Is(err, syscall.ENOTDIR) || err == nil && !info.Mode().IsRegular() {
		return content{}, fmt.Errorf("%s is not a regular file: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return content{}, err
	}
	s := stampOf(info)
	l.mu.Lock()
	c, ok := l.known[path]
	l.mu.Unlock()
	if ok && c.stamp == s && c.at.Sub(s.changed()) > racy {
		return c, nil
	}
	c, err = hash(path)
	if err != nil {
		return content{}, err
	}
	l.mu.Lock()
	l.known[path] = c
	l.mu.Unlock()
	return c, nil
}

// changed is when the file was changed last. A tool that sets a file's own time
// back cannot do that to the other one.
func (s stamp) changed() time.Time {
	m, c := time.Unix(s.mtime.Unix()), time.Unix(s.ctime.Unix())
	if c.After(m) {
		return c
	}
	return m
}

func stampOf(info fs.FileInfo) stamp {
	st := info.Sys().(*syscall.Stat_t)
	s := stamp{dev: uint64(st.Dev), inode: st.Ino, size: st.Size}
	s.mtime, s.ctime = times(st)
	return s
}

// largeFile is the size from which more than one core hashes a file.
const largeFile = 1 << 20

func hash(path string) (content, error) {
	f, err := bounded.Open(path)
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	c, err := hashFile(f)
	if err != nil {
		return content{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return c, nil
}

func hashFile(f *os.File) (content, error) {
	at := time.Now()
	info, err := f.Stat()
	if err != nil {
		return content{}, err
	}
	size := info.Size()
	workers := 1
	if size >= largeFile {
		workers = runtime.GOMAXPROCS(0)
	}
	leaves := make([]wire.Sum, wire.LeafCount(size))
	// Every worker takes an equal run of whole leaves.
	per := int64(len(leaves)+workers-1) / int64(workers) * wire.LeafSize
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		from := min(int64(w)*per, size)
		wg.Go(func() { errs[w] = hashRange(f, leaves, from, min(from+per, size)) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return content{}, err
		}
	}
	return content{
		File:   wire.File{Size: size, Exec: info.Mode()&0o111 != 0, Sum: wire.SumOf(leaves)},
		leaves: leaves,
		stamp:  stampOf(info),
		at:     at,
	}, nil
}

func hashRange(f *os.File, leaves []wire.Sum, from, to int64) error {
	buf := make([]byte, min(wire.MaxChunk, max(to-from, 1)))
	for from < to {
		n := min(int64(len(buf)), to-from)
		if _, err := f.ReadAt(buf[:n], from); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		wire.AppendLeaves(leaves[from/wire.LeafSize:][:0], buf[:n])
		from += n
	}
	return nil
}
