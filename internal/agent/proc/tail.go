package proc

import (
	"bytes"
	"strings"
	"sync"
)

// tailLines and tailWidth bound what is kept of a process's output: enough
// for a panic with its first goroutine, not enough to matter.
const (
	tailLines = 50
	tailWidth = 2 << 10
)

// tail keeps the last lines that were written to its streams, those of both in
// the order in which they ended, as a terminal would show them.
type tail struct {
	mu      sync.Mutex
	ring    [tailLines]string
	n       int // lines ever seen
	streams []*stream
}

// stream is one of the writers of a tail, with the line that has not ended.
type stream struct {
	tail *tail
	part []byte
}

func newTail() *tail { return &tail{} }

func (t *tail) stream() *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &stream{tail: t}
	t.streams = append(t.streams, s)
	return s
}

// Write never fails.
func (s *stream) Write(b []byte) (int, error) {
	n, t := len(b), s.tail
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		if room := tailWidth - len(s.part); room > 0 {
			s.part = append(s.part, line[:min(len(line), room)]...)
		}
		if !found {
			return n, nil
		}
		t.ring[t.n%tailLines] = strings.ToValidUTF8(string(s.part), "\uFFFD")
		t.n++
		s.part = s.part[:0]
		b = rest
	}
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for i := max(0, t.n-tailLines); i < t.n; i++ {
		out = append(out, t.ring[i%tailLines])
	}
	for _, s := range t.streams {
		if len(s.part) > 0 {
			out = append(out, strings.ToValidUTF8(string(s.part), "\uFFFD"))
		}
	}
	return out
}
