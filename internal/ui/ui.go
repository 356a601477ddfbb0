// Package ui shows events: on a terminal, as plain lines, or as JSON. The
// words and colours of zr live here; the stages only say what happened.
package ui

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"zr/pkg/event"
)

// Mode is how events are shown.
type Mode string

// The modes. Auto takes TTY where the output is a terminal that can do it,
// nobody set CI and TERM is not dumb, and Plain otherwise.
const (
	Auto  Mode = "auto"
	TTY   Mode = "tty"
	Plain Mode = "plain"
	JSON  Mode = "json"
)

// Printer is a sink that shows what it is given. Emit never waits for the
// output: where that is slow, log lines are left out and counted.
type Printer interface {
	event.Sink
	// Close shows what is still to be shown and gives the terminal back as it
	// was. Events that come later are dropped. It may be called twice.
	Close()
}

// New returns the printer of a mode that writes to w. On a terminal, steps
// that run are kept at the bottom, and what is done scrolls away above them.
func New(w io.Writer, m Mode) Printer { return newPrinter(w, nil, m, nil) }

func newPrinter(w io.Writer, in *os.File, m Mode, dev *devView) Printer {
	if m == Auto || m == "" {
		m = detect(w, os.Getenv)
	}
	switch m {
	case JSON:
		return newQueue(&jsonPrinter{w: w}, time.Now)
	case TTY:
		return newQueue(newTTY(w, in, dev), time.Now)
	default:
		return newQueue(newPlain(w), time.Now)
	}
}

// detect chooses between TTY and Plain.
func detect(w io.Writer, getenv func(string) string) Mode {
	if !isTerminal(w) || getenv("CI") != "" || getenv("TERM") == "dumb" || getenv("TERM") == "" {
		return Plain
	}
	return TTY
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
