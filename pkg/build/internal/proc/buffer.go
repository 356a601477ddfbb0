package proc

import (
	"bytes"
	"io"
	"sync"
)

// words keeps what a command writes to stdout and stderr, which two goroutines
// copy, and hands out whole lines as they come.
type words struct {
	mu   sync.Mutex
	all  bytes.Buffer
	from int // where the line begins that is not complete yet
	line func(string)
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	if w.line == nil {
		return len(p), nil
	}
	for {
		rest := w.all.Bytes()[w.from:]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		w.line(string(rest[:end]))
		w.from += end + 1
	}
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// tee is both writers as one.
func tee(stdout io.Writer, all *words) io.Writer { return io.MultiWriter(stdout, all) }
