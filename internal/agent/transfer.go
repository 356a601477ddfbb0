package agent

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"zr/internal/agent/folder"
	"zr/pkg/agentspec/wire"
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
	if t.err != nil {
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
	if c.Op == wire.OpSame {
		return t.tx.Copy(c)
	}
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	body, err := unpack(c, (*buf)[:0])
	if err != nil {
		return fmt.Errorf("unpacking a chunk: %w", err)
	}
	if c.Op.Patch() {
		out := bodies.Get().(*[]byte)
		defer bodies.Put(out)
		return t.tx.Patch(c, body, (*out)[:c.Size])
	}
	return t.tx.Write(c, body)
}

// unpack returns the body of a chunk as it was before it was compressed: the
// bytes of the file, or a patch.
func unpack(c wire.Chunk, buf []byte) ([]byte, error) {
	switch c.Op.Packing() {
	case wire.OpS2:
		n, err := s2.DecodedLen(c.Body)
		if err != nil {
			return nil, err
		}
		if n > cap(buf) {
			return nil, fmt.Errorf("it holds %d bytes", n)
		}
		return s2.Decode(buf[:n], c.Body)
	case wire.OpZstd:
		return decoder().DecodeAll(c.Body, buf)
	default:
		return c.Body, nil
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
