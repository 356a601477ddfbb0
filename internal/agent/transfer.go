package agent

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"zr/internal/agent/folder"
	"zr/internal/agent/wire"
)

// transfer stages the chunks of one transaction, on every core at once.
type transfer struct {
	tx      *folder.Tx
	id      uint32
	begun   time.Time
	chunks  chan frame
	workers sync.WaitGroup

	mu  sync.Mutex
	err error // the first one
}

// frame is the payload of a frame in a buffer that goes back to frames.
type frame struct {
	chunk wire.Chunk
	buf   *[]byte
}

var (
	frames = sync.Pool{New: func() any { b := make([]byte, wire.MaxChunk+64); return &b }}
	bodies = sync.Pool{New: func() any { b := make([]byte, wire.MaxChunk); return &b }}

	// decoder is stateless in DecodeAll and safe for concurrent use.
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(0),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(wire.MaxChunk),
		)
		if err != nil {
			panic(err) // the options are constants
		}
		return d
	})
)

// newTransfer begins to stage. A transaction that cannot begin takes its
// chunks all the same and fails at finish, so that a refusal is one answer.
func newTransfer(f *folder.Folder, b wire.Begin) *transfer {
	t := &transfer{id: b.Tx, begun: time.Now(), chunks: make(chan frame, 2*runtime.GOMAXPROCS(0))}
	t.tx, t.err = f.Begin(b)
	if t.err != nil || len(b.Files) == 0 {
		return t
	}
	for range min(runtime.GOMAXPROCS(0), 4) {
		t.workers.Go(t.work)
	}
	return t
}

// add takes a chunk, with the buffer that holds it.
func (t *transfer) add(c wire.Chunk, buf *[]byte) {
	if c.Tx != t.id || t.failed() != nil {
		frames.Put(buf)
		return
	}
	t.chunks <- frame{c, buf}
}

func (t *transfer) work() {
	for f := range t.chunks {
		if t.failed() == nil {
			if err := t.write(f.chunk); err != nil {
				t.fail(err)
			}
		}
		frames.Put(f.buf)
	}
}

func (t *transfer) write(c wire.Chunk) error {
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	body, err := expand(c, (*buf)[:0])
	if err != nil {
		return err
	}
	return t.tx.Write(c, body)
}

// expand returns the bytes that a chunk stands for; nil for OpSame. The
// chunk was checked by wire.ParseChunk.
func expand(c wire.Chunk, buf []byte) ([]byte, error) {
	switch c.Op {
	case wire.OpRaw:
		return c.Body, nil
	case wire.OpS2:
		n, err := s2.DecodedLen(c.Body)
		if err == nil && int64(n) != c.Size {
			err = fmt.Errorf("it holds %d bytes, not %d", n, c.Size)
		}
		if err == nil {
			buf, err = s2.Decode(buf[:n], c.Body)
		}
		if err != nil {
			return nil, fmt.Errorf("expanding a chunk: %w", err)
		}
		return buf, nil
	case wire.OpZstd:
		b, err := decoder().DecodeAll(c.Body, buf)
		if err != nil {
			return nil, fmt.Errorf("expanding a chunk: %w", err)
		}
		return b, nil
	default:
		return nil, nil
	}
}

func (t *transfer) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

func (t *transfer) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// finish waits for the chunks that are under way and hands the transaction over.
func (t *transfer) finish() (*folder.Tx, error) {
	close(t.chunks)
	t.workers.Wait()
	if t.err != nil {
		t.drop()
		return nil, t.err
	}
	return t.tx, nil
}

// abort ends the transaction without a trace.
func (t *transfer) abort() {
	close(t.chunks)
	t.workers.Wait()
	t.drop()
}

func (t *transfer) drop() {
	if t.tx != nil {
		t.tx.Close()
	}
}
