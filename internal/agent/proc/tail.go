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

// tail keeps the last lines that were written to it. Both streams of a
// process go to one tail, as a terminal would show them.
type tail struct {
	mu   sync.Mutex
	ring [tailLines]string
	n    int // lines ever seen
	part []byte
}

func newTail() *tail { return &tail{} }

// Write never fails.
func (t *tail) Write(b []byte) (int, error) {
	n := len(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		if room := tailWidth - len(t.part); room > 0 {
			t.part = append(t.part, line[:min(len(line), room)]...)
		}
		if !found {
			return n, nil
		}
		t.ring[t.n%tailLines] = strings.ToValidUTF8(string(t.part), "\uFFFD")
		t.n++
		t.part = t.part[:0]
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
	if len(t.part) > 0 {
		out = append(out, strings.ToValidUTF8(string(t.part), "\uFFFD"))
	}
	return out
}
