package proc

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// An error shows so much of what a tool said: what went wrong stands at its
// beginning for a compiler, and at its end for a package manager.
const (
	firstLines = 30
	lastLines  = 20
	longLine   = 500 // bytes
)

// kept is how many bytes of the beginning of what a tool says are held, and at
// least as many of its end.
const kept = 128 << 10

// words takes what a command writes, which two goroutines may copy: it keeps the
// beginning and the end, and hands out whole lines as they come.
type words struct {
	line func(string) // may be nil

	mu         sync.Mutex
	head, tail []byte
	cut        bool   // something between head and tail is not kept
	rest       []byte // of a line that is not complete yet
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	room := min(kept-len(w.head), len(p))
	w.head = append(w.head, p[:room]...)
	w.tail = append(w.tail, p[room:]...)
	if extra := len(w.tail) - kept; extra > kept {
		w.tail = append(w.tail[:0], w.tail[extra:]...)
		w.cut = true
	}
	if w.line != nil {
		w.lines(p)
	}
	return len(p), nil
}

// lines tells the lines that are complete. Of one without an end the beginning is
// enough.
func (w *words) lines(p []byte) {
	for {
		line, after, whole := bytes.Cut(p, []byte("\n"))
		w.rest = append(w.rest, line[:min(len(line), max(kept-len(w.rest), 0))]...)
		if !whole {
			return
		}
		w.line(string(w.rest))
		w.rest, p = w.rest[:0], after
	}
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return string(w.head) + "\n…\n" + string(w.tail)
	}
	return string(w.head) + string(w.tail)
}

// forPeople cuts a text to what somebody reads: some lines of its beginning and
// of its end, none longer than a paragraph.
func forPeople(text string) string {
	lines := strings.Split(text, "\n")
	if left := len(lines) - firstLines - lastLines; left > 1 {
		end := lines[len(lines)-lastLines:]
		lines = append(lines[:firstLines:firstLines], fmt.Sprintf("… %d lines are left out …", left))
		lines = append(lines, end...)
	}
	for i, line := range lines {
		if len(line) > longLine {
			end := longLine
			for end > 0 && !utf8.RuneStart(line[end]) {
				end--
			}
			lines[i] = line[:end] + "…"
		}
	}
	return strings.Join(lines, "\n")
}
