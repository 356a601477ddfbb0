package ui

import (
	"os"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// keyboard reads a terminal key by key. All methods of a nil one do nothing.
type keyboard struct {
	in    *os.File
	keys  chan byte
	saved *term.State // nil while the terminal is as it was found
	stop  func()
}

func newKeyboard(in *os.File) *keyboard { return &keyboard{in: in, keys: make(chan byte, 64)} }

// typed returns the characters that are typed: those of one byte, without what
// other keys send.
func (k *keyboard) typed() <-chan byte {
	if k == nil {
		return nil
	}
	return k.keys
}

// begin has the terminal send each key at once and unseen.
func (k *keyboard) begin() {
	if k == nil {
		return
	}
	k.end()
	saved, err := term.MakeRaw(int(k.in.Fd()))
	if err != nil {
		return
	}
	k.saved = saved
	r, err := cancelreader.NewReader(k.in)
	if err != nil {
		return
	}
	ended := make(chan struct{})
	quit := make(chan struct{})
	go func() {
		defer close(ended)
		k.read(r, quit)
	}()
	k.stop = func() {
		close(quit)
		if r.Cancel() {
			<-ended
			_ = r.Close()
		}
	}
}

// end leaves what is typed from now on to others, and the terminal as it was.
func (k *keyboard) end() {
	if k == nil {
		return
	}
	if k.stop != nil {
		k.stop()
		k.stop = nil
	}
	if k.saved != nil {
		_ = term.Restore(int(k.in.Fd()), k.saved)
		k.saved = nil
	}
}

func (k *keyboard) read(r cancelreader.CancelReader, quit <-chan struct{}) {
	var s sequence
	buf := make([]byte, 256)
	for {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			if !s.takes(b) {
				select {
				case k.keys <- b:
				case <-quit:
					return
				}
			}
		}
		s.pause()
		if err != nil {
			return
		}
	}
}

// sequence is where in what a key sends that is no character: an arrow, F3,
// Alt with another key. Terminals also answer this way what another program has
// asked.
type sequence int

const (
	outside sequence = iota
	escaped
	control // ESC [ … up to a letter
	single  // ESC O and one character
	text    // ESC ] … up to BEL or ESC
)

// takes tells that a byte belongs to such a sequence.
func (s *sequence) takes(b byte) bool {
	const esc, bel = 0x1b, 0x07
	switch {
	case b == esc:
		*s = escaped
	case *s == outside:
		return b >= 0x80 // part of a letter that is no key here
	case *s == escaped:
		*s = map[byte]sequence{'[': control, 'O': single, ']': text, 'P': text, '_': text, '^': text}[b]
	case *s == single, *s == control && b >= 0x40 && b < 0x7f, *s == text && b == bel:
		*s = outside
	}
	return true
}

// pause says that nothing follows at once: an ESC was the key of that name.
func (s *sequence) pause() {
	if *s == escaped {
		*s = outside
	}
}
