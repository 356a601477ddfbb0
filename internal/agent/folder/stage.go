package folder

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"zr/pkg/agentspec/wire"
)

// ErrMoved says that the folder does not hold what the other side believes.
// Nothing was changed.
var ErrMoved = errors.New("the folder has changed in between")

// Tx is a transaction: files that lie beside the folder until Commit. Write
// may be called by several goroutines at once.
type Tx struct {
	folder *Folder
	begin  wire.Begin
	files  []*staged
}

// staged is a file of an open transaction.
type staged struct {
	wire.NewFile
	name string // below stageDir
	file *os.File
	base *os.File // opened at Begin: a later commit cannot change it
	was  *held

	mu     sync.Mutex
	leaves []wire.Sum
	has    []bool
	left   int // leaves that are missing
}

// maxFile is the largest file that is taken: the sums of its leaves take 128 MiB.
const maxFile = 16 << 30

var txCount atomic.Uint64

// Begin opens a transaction. It refuses paths that lead out of the folder or
// through a symbolic link, and returns ErrMoved where a base is not what the
// folder holds.
func (f *Folder) Begin(b wire.Begin) (*Tx, error) {
	tx := &Tx{folder: f, begin: b}
	id := txCount.Add(1)
	for i, nf := range b.Files {
		s, err := f.stage(nf, fmt.Sprintf("%s/%d.%d", stageDir, id, i))
		if s != nil {
			tx.files = append(tx.files, s)
		}
		if err != nil {
			tx.Close()
			return nil, err
		}
	}
	for _, p := range slices.Concat(b.Gone, b.Touch) {
		if err := f.check(p); err != nil {
			tx.Close()
			return nil, err
		}
	}
	if err := distinct(b); err != nil {
		tx.Close()
		return nil, err
	}
	return tx, nil
}

// distinct refuses a transaction that names a path twice: what it leads to
// would depend on the order.
func distinct(b wire.Begin) error {
	paths := slices.Concat(b.Gone, b.Touch)
	for _, nf := range b.Files {
		paths = append(paths, nf.Path)
	}
	slices.Sort(paths)
	for i := 1; i < len(paths); i++ {
		if paths[i] == paths[i-1] {
			return fmt.Errorf("path %q: named twice", paths[i])
		}
	}
	return nil
}

func (f *Folder) check(p string) error {
	if err := wire.CheckPath(p); err != nil {
		return err
	}
	return f.refuseLinks(p)
}

func (f *Folder) stage(nf wire.NewFile, name string) (*staged, error) {
	if err := f.check(nf.Path); err != nil {
		return nil, err
	}
	if nf.Size < 0 || nf.Size > maxFile {
		return nil, fmt.Errorf("path %q: size %d", nf.Path, nf.Size)
	}
	s := &staged{NewFile: nf, name: name, left: wire.LeafCount(nf.Size)}
	s.leaves = make([]wire.Sum, s.left)
	s.has = make([]bool, s.left)
	var err error
	if s.file, err = f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("staging %q: %w", nf.Path, err)
	}
	if nf.Base.IsZero() {
		return s, nil
	}
	return s, f.openBase(s)
}

func (f *Folder) openBase(s *staged) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.held[s.Path]; h != nil {
		f.look(s.Path, h)
	}
	h := f.held[s.Path]
	if h == nil || h.Sum != s.Base {
		return fmt.Errorf("staging %q: %w", s.Path, ErrMoved)
	}
	file, err := f.root.Open(filePath(s.Path))
	if err != nil {
		return fmt.Errorf("staging %q: %w", s.Path, err)
	}
	s.base, s.was = file, h
	return nil
}

// Close drops what was staged and not committed.
func (tx *Tx) Close() {
	for _, s := range tx.files {
		s.close()
		_ = tx.folder.root.Remove(s.name)
	}
	tx.files = nil
}

func (s *staged) close() {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
	if s.base != nil {
		s.base.Close()
		s.base = nil
	}
}

// target returns the file that a chunk belongs to, if the chunk fits in it.
func (tx *Tx) target(c wire.Chunk) (*staged, error) {
	if int(c.File) >= len(tx.files) {
		return nil, fmt.Errorf("chunk of file %d of %d", c.File, len(tx.files))
	}
	s := tx.files[c.File]
	end := c.Offset + c.Size
	if end > s.Size || (end%wire.LeafSize != 0 && end != s.Size) {
		return nil, fmt.Errorf("staging %q: a chunk ends at %d of %d", s.Path, end, s.Size)
	}
	if s.base == nil && (c.Op == wire.OpSame || c.Op.Patch()) {
		return nil, fmt.Errorf("staging %q: a chunk refers to a base, and there is none", s.Path)
	}
	return s, nil
}

// Write puts the bytes of a chunk, which the caller has unpacked into body,
// into the staged file.
func (tx *Tx) Write(c wire.Chunk, body []byte) error {
	s, err := tx.target(c)
	if err != nil {
		return err
	}
	return s.write(c, body)
}

func (s *staged) write(c wire.Chunk, body []byte) error {
	if int64(len(body)) != c.Size {
		return fmt.Errorf("staging %q: a chunk of %d bytes holds %d", s.Path, c.Size, len(body))
	}
	if _, err := s.file.WriteAt(body, c.Offset); err != nil {
		return fmt.Errorf("staging %q: %w", s.Path, err)
	}
	s.note(c.Offset, wire.AppendLeaves(make([]wire.Sum, 0, wire.LeafCount(c.Size)), body))
	return nil
}

// Patch makes the bytes of a chunk from the base, with buf to make them in.
func (tx *Tx) Patch(c wire.Chunk, patch, buf []byte) error {
	s, err := tx.target(c)
	if err != nil {
		return err
	}
	if err := wire.ApplyPatch(buf, patch, s.base, c.Offset); err != nil {
		return fmt.Errorf("staging %q: %w", s.Path, err)
	}
	return s.write(c, buf)
}

// Copy takes the bytes of a chunk from the version that the folder holds. Its
// leaves are known, so nothing is hashed again.
func (tx *Tx) Copy(c wire.Chunk) error {
	s, err := tx.target(c)
	if err != nil {
		return err
	}
	end := c.Offset + c.Size
	// The last leaf of the base may be shorter than that of the new file.
	if end > s.was.Size || (end%wire.LeafSize != 0 && end != s.was.Size) {
		return fmt.Errorf("staging %q: a chunk takes bytes %d to %d of a base of %d", s.Path, c.Offset, end, s.was.Size)
	}
	if err := copyRange(s.file, s.base, c.Offset, c.Size); err != nil {
		return fmt.Errorf("staging %q: %w", s.Path, err)
	}
	first := c.Offset / wire.LeafSize
	s.note(c.Offset, s.was.leaves[first:first+int64(wire.LeafCount(c.Size))])
	return nil
}

func (s *staged) note(offset int64, leaves []wire.Sum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, sum := range leaves {
		at := int(offset/wire.LeafSize) + i
		if !s.has[at] {
			s.has[at] = true
			s.left--
		}
		s.leaves[at] = sum
	}
}

// seal says whether the staged file is complete and has the given sum.
func (s *staged) seal(sum wire.Sum) error {
	if s.left > 0 {
		return fmt.Errorf("staging %q: %d of %d blocks never came", s.Path, s.left, len(s.has))
	}
	if got := wire.SumOf(s.leaves); got != sum {
		return fmt.Errorf("staging %q: its sum is %s, not %s", s.Path, got, sum)
	}
	if err := s.file.Chmod(mode(s.Exec)); err != nil {
		return fmt.Errorf("staging %q: %w", s.Path, err)
	}
	return nil
}
