package livesync

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"zr/pkg/agentspec/wire"
	"zr/pkg/bounded"
)

// deltaSize is the size from which a file is compared with what the container
// holds. Below, asking costs more than sending.
const deltaSize = 64 << 10

// transact carries out a plan and returns the agent's answer, when the files
// were in place, and how many bytes travelled.
func (s *Client) transact(ctx context.Context, conn *connection, p plan) (wire.Result, time.Time, int64, error) {
	bases, err := s.bases(ctx, conn, p.files)
	defer func() {
		for _, b := range bases {
			b.close()
		}
	}()
	if err != nil {
		return wire.Result{}, time.Time{}, 0, err
	}
	tx, answer := conn.begin(p.target)
	n, err := s.send(ctx, conn, tx, p, bases)
	if err != nil {
		conn.drop(tx)
		return wire.Result{}, time.Time{}, 0, err
	}
	commit := wire.Commit{
		Tx:      tx,
		Tree:    p.target.Sum(),
		Build:   p.change.Build,
		Restart: p.restart,
		Timeout: s.opts.Patience,
	}
	for _, f := range p.files {
		commit.Sums = append(commit.Sums, f.Sum)
	}
	if err := conn.frames.WriteJSON(wire.TypeCommit, commit); err != nil {
		conn.close(err)
		return wire.Result{}, time.Time{}, 0, conn.lost()
	}
	var written time.Time
	wait := answer.written
	for {
		select {
		case <-wait:
			written, wait = time.Now(), nil
			s.remember(p.files)
		case r := <-answer.result:
			if written.IsZero() {
				written = time.Now()
				if r.Outcome == wire.Done {
					s.remember(p.files)
				}
			}
			s.keepPrograms(p.files)
			return r, written, n, nil
		case <-conn.down:
			return wire.Result{}, time.Time{}, 0, conn.lost()
		case <-ctx.Done():
			return wire.Result{}, time.Time{}, 0, context.Cause(ctx)
		}
	}
}

// base is what is known here of the version of a file that the container holds.
type base struct {
	leaves  []wire.Sum // nil: the new version is sent as a whole
	content []byte     // nil: only whole leaves can be referred to
	close   func()
}

// bases returns what the new versions of files are compared with.
func (s *Client) bases(ctx context.Context, conn *connection, files []outgoing) ([]base, error) {
	bases := make([]base, len(files))
	for i, f := range files {
		b := &bases[i]
		b.close = func() {}
		if f.Size < deltaSize || f.was.Size < deltaSize {
			continue
		}
		s.mu.Lock()
		b.leaves = s.leaves[f.was.Sum]
		s.mu.Unlock()
		if len(b.leaves) == 0 && f.was.Size <= wire.MaxAsked {
			var err error
			if b.leaves, err = conn.leaves(ctx, f.path, f.was.Sum); err != nil {
				return bases[:i+1], err
			}
		}
		if len(b.leaves) == 0 {
			b.leaves = nil
			continue
		}
		b.content, b.close = s.programs.open(f.was.Sum)
	}
	return bases, nil
}

// remember keeps the leaves of the large files that the container holds now,
// and forgets those of the versions that they replaced.
func (s *Client) remember(files []outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range files {
		if f.Size < deltaSize {
			continue
		}
		if len(s.leaves) >= rememberedFiles {
			clear(s.leaves)
		}
		s.leaves[f.Sum] = f.leaves
	}
}

// keepPrograms keeps the content of programs in the background, so that their
// next versions can be sent as patches.
func (s *Client) keepPrograms(files []outgoing) {
	for _, f := range files {
		if f.Exec && f.Size >= deltaSize {
			go s.programs.keep(f.Sum, f.local)
		}
	}
}

// rememberedFiles bounds the leaves that are kept: the current version, the
// one that a rollback returns to, and a few more services' worth of assets.
const rememberedFiles = 16

// piece is a run of leaves of one file.
type piece struct {
	file     int
	from, to int64
	same     bool // the container has it at the same place
}

// minSame is how many leaves in a row have to be the same for a piece of their
// own, where the leaves around them can be patched: a patch of nothing costs
// less than cutting.
const minSame = 16

// cut divides a file into what the container has and what it lacks.
func cut(file int, f outgoing, b base, pieces []piece) []piece {
	leaves := len(f.leaves)
	same := func(i int) bool {
		// A last leaf that is not full is the same only if both files end there.
		return i < len(b.leaves) && b.leaves[i] == f.leaves[i] &&
			(int64(i+1)*wire.LeafSize <= min(f.Size, f.was.Size) || f.Size == f.was.Size)
	}
	shortest := 1
	if b.content != nil {
		shortest = minSame
	}
	add := func(from, to int, same bool) {
		pieces = append(pieces, piece{file, int64(from) * wire.LeafSize, min(int64(to)*wire.LeafSize, f.Size), same})
	}
	begin := 0 // of what the container lacks
	lacks := func(end int) {
		for ; begin < end; begin += wire.MaxChunk / wire.LeafSize {
			add(begin, min(begin+wire.MaxChunk/wire.LeafSize, end), false)
		}
	}
	for i := 0; i < leaves; {
		j := i
		for j < leaves && same(j) {
			j++
		}
		if j-i >= shortest {
			lacks(i)
			add(i, j, true)
			begin = j
		}
		i = max(j, i+1)
	}
	lacks(leaves)
	return pieces
}

// send opens a transaction and sends everything but its commit.
func (s *Client) send(ctx context.Context, conn *connection, tx uint32, p plan, bases []base) (int64, error) {
	begin := wire.Begin{Tx: tx, Gone: p.gone, Touch: p.touch}
	var pieces []piece
	for i, f := range p.files {
		n := wire.NewFile{Path: f.path, Size: f.Size, Exec: f.Exec}
		if bases[i].leaves != nil {
			n.Base = f.was.Sum
		}
		begin.Files = append(begin.Files, n)
		pieces = cut(i, f, bases[i], pieces)
	}
	if err := conn.frames.LaterJSON(wire.TypeBegin, begin); err != nil {
		conn.close(err)
		return 0, conn.lost()
	}
	if len(pieces) == 0 {
		return 0, nil
	}
	return s.stream(ctx, conn, tx, p.files, bases, pieces)
}

// stream sends pieces from as many goroutines as there are cores; the order
// of arrival does not matter.
func (s *Client) stream(ctx context.Context, conn *connection, tx uint32, files []outgoing, bases []base, pieces []piece) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, bytes atomic.Int64
	found := make([]distances, len(files))
	work := func() error {
		src := reader{files: files}
		defer src.close()
		body, buf := make([]byte, 0, wire.MaxChunk), make([]byte, 0, wire.MaxChunk+wire.MaxChunk/8)
		differs := make([]*differ, len(files))
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(pieces) {
				return nil
			}
			q := pieces[i]
			c := wire.Chunk{Tx: tx, File: uint32(q.file), Offset: q.from, Size: q.to - q.from, Op: wire.OpSame}
			if !q.same {
				var err error
				if body, err = src.read(q, body); err != nil {
					return err
				}
				if differs[q.file] == nil {
					differs[q.file] = &differ{found: &found[q.file]}
				}
				if patch := differs[q.file].patch(q.from, body, bases[q.file].content); patch != nil {
					c.Op, c.Body = s.pace.pack(ofPatches, patch, buf)
					c.Op |= wire.OpPatch
				} else {
					c.Op, c.Body = s.pace.pack(ofBytes, body, buf)
				}
			}
			n, err := conn.chunk(ctx, c)
			if err != nil {
				return err
			}
			bytes.Add(n)
		}
		return context.Cause(ctx)
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(pieces)) {
		wg.Go(func() {
			if err := work(); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	return bytes.Load(), nil
}

// reader reads pieces of local files, of which it keeps one open.
type reader struct {
	files []outgoing
	file  *os.File
	index int
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

func (r *reader) read(q piece, buf []byte) ([]byte, error) {
	if r.file == nil || r.index != q.file {
		r.close()
		f, err := bounded.Open(r.files[q.file].local)
		if err != nil {
			return nil, retryError{fmt.Errorf("reading %q: %w", r.files[q.file].path, err)}
		}
		r.file, r.index = f, q.file
	}
	buf = buf[:q.to-q.from]
	if _, err := r.file.ReadAt(buf, q.from); err != nil {
		return nil, retryError{fmt.Errorf("reading %q: %w", r.files[q.file].path, err)}
	}
	return buf, nil
}
