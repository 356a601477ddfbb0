package image

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"syscall"
)

// replies reads what the load script writes, while it runs.
type replies struct {
	listed chan struct{} // closed once the node has said what it holds

	mu       sync.Mutex
	partial  []byte
	mark     string            // the last mark that was read
	names    map[string]string // image name → manifest digest
	content  map[string]string // blob digest → ""
	complete map[string]bool
	words    []string // the last lines that are none of these
}

func newReplies() *replies {
	return &replies{
		listed: make(chan struct{}),
		names:  map[string]string{}, content: map[string]string{}, complete: map[string]bool{},
	}
}

// Write takes the script's output, in any pieces.
func (t *replies) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.partial = append(t.partial, p...)
	for {
		line, rest, found := bytes.Cut(t.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		t.line(strings.TrimSpace(string(line)))
		t.partial = rest
	}
}

func (t *replies) line(line string) {
	switch {
	case line == markListed:
		t.mark = line
		close(t.listed)
	case line == markImported, line == markChecked:
		t.mark = line
	case t.mark == "" && strings.HasPrefix(line, "sha256:"):
		t.content[line] = ""
	case t.mark == "":
		if name, digest, ok := imageLine(line); ok {
			t.names[name] = digest
		}
	default:
		if name, ok := completeLine(line); ok && t.mark == markImported {
			t.complete[name] = true
			return
		}
		t.words = append(t.words, line)
		if keep := 20; len(t.words) > keep { // enough for an error and its context
			t.words = t.words[len(t.words)-keep:]
		}
	}
}

func (t *replies) holdings() (names, content map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.names, t.content
}

// outcome returns whether the check ran, and which images it found complete.
func (t *replies) outcome() (checked bool, complete map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mark == markChecked, t.complete
}

// tail returns the last words of the script, for an error.
func (t *replies) tail() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.words) == 0 {
		return "it said nothing"
	}
	return strings.Join(t.words, "\n")
}

func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
