package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// output is a standard output that remembers the first write that failed, so
// that no verb has to look: a report that is cut short is no success.
type output struct {
	io.Writer
	unread func() // called once nobody reads on
	mu     sync.Mutex
	err    error
}

// Write is part of io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && err != nil {
		o.err = fmt.Errorf("writing the output: %w", err)
		if errors.Is(err, syscall.EPIPE) {
			o.unread()
		}
	}
	return n, err
}

func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// isTerminal tells that w is one, which the printers draw on, and which is gone
// where it cannot be written to.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
