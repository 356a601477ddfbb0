package ui

import (
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// A frame is drawn no more often than every framePause, which no eye sees, and
// no less often than every turnPause while something runs, so that its spinner
// turns. Where nothing runs nothing is drawn.
const (
	framePause = time.Second / 20
	turnPause  = time.Second / 10
)

// tty shows events on a terminal: what is over scrolls by, what runs stays in
// a frame at the bottom. It asks nothing of the terminal, so that there is no
// answer to wait for, nor one that ends up in the user's shell.
type tty struct {
	w       io.Writer
	keys    *keyboard // nil where none are read
	view    *view
	events  chan []stamped
	once    sync.Once
	closing chan struct{}
	ended   chan struct{}

	// What follows belongs to the goroutine that draws.

	pending  []string // lines that are to scroll by
	scrolled []string // the last ones that did
	rows     int      // of the frame that stands, the cursor at the end of its last one
	dirty    bool     // whether something changed since it was drawn
	drawn    time.Time
	away     <-chan time.Time // not nil while the process is suspended: when that was in vain
}

// newTTY starts to draw on w. Keys are read from in where that is not nil.
func newTTY(w io.Writer, in *os.File, dev *devView) *tty {
	t := &tty{w: w, view: newView(newPalette(), dev), events: make(chan []stamped), closing: make(chan struct{}), ended: make(chan struct{})}
	if in != nil {
		t.keys = newKeyboard(in)
	}
	shown.Store(t)
	go t.run()
	return t
}

// shown is the view that was opened last.
var shown atomic.Pointer[tty]

// releasePatience is how long Release waits for a terminal that takes nothing,
// as after Ctrl-S.
const releasePatience = time.Second

// Release gives the terminal back as it was, for a process that ends at once and
// closes no printer.
func Release() {
	t := shown.Load()
	if t == nil {
		return
	}
	t.end()
	select {
	case <-t.ended:
	case <-time.After(releasePatience):
	}
}

func (t *tty) show(events []stamped) {
	select {
	case t.events <- events:
	case <-t.ended:
	}
}

func (t *tty) close() {
	t.end()
	<-t.ended
}

func (t *tty) end() { t.once.Do(func() { close(t.closing) }) }

func (t *tty) run() {
	defer close(t.ended)
	// Both come also where it is not the controlling terminal that changed.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGCONT)
	defer signal.Stop(signals)
	t.take()
	defer t.giveBack()
	for {
		select {
		case events := <-t.events:
			for _, e := range events {
				t.scroll(t.view.take(e.Event, e.at))
			}
		case key := <-t.keys.typed():
			t.key(key)
		case s := <-signals:
			if s == syscall.SIGCONT { // the shell had the terminal
				t.take()
			}
			t.dirty = true
		case <-t.away:
			select { // continued just now: once is enough
			case <-signals:
			default:
			}
			t.take()
		case <-t.due():
			t.draw()
		case <-t.closing:
			return
		}
	}
}

// due returns a channel that tells when the next frame is to be drawn.
func (t *tty) due() <-chan time.Time {
	switch {
	case t.away != nil:
		return nil
	case t.dirty:
		return time.After(time.Until(t.drawn.Add(framePause)))
	case t.view.busy():
		return time.After(time.Until(t.drawn.Add(turnPause)))
	}
	return nil
}

// atOnce is how many lines may wait for the next frame.
const atOnce = 1000

func (t *tty) scroll(lines []string) {
	t.pending = append(t.pending, lines...)
	t.dirty = true
	if len(t.pending) >= atOnce && t.away == nil {
		t.draw()
	}
}

func (t *tty) key(key byte) {
	const ctrlC, ctrlZ = 'C' & 0x1f, 'Z' & 0x1f
	switch {
	case key == ctrlC:
		interrupt()
	case key == ctrlZ:
		t.suspend()
	case t.view.dev != nil:
		if lines := t.view.dev.key(t.view, key); lines != nil {
			t.scroll(lines)
		}
	}
}

// suspend stops this process and its children, as Ctrl-Z does where nobody
// reads keys, until they are continued. A process without a shell that could
// continue it is not stopped by the kernel, and goes on.
func (t *tty) suspend() {
	t.giveBack()
	t.away = time.After(time.Second)
	_ = syscall.Kill(0, syscall.SIGTSTP)
}

// take prepares the terminal: no cursor, and keys one by one.
func (t *tty) take() {
	t.away, t.rows, t.dirty = nil, 0, true
	t.resize()
	t.keys.begin()
	t.write(ansi.HideCursor)
}

// giveBack leaves the terminal as it was, with what has scrolled by.
func (t *tty) giveBack() {
	t.paint(nil)
	t.write(ansi.ShowCursor)
	t.keys.end()
}

// draw draws the frame as it is now.
func (t *tty) draw() {
	t.resize()
	now := time.Now()
	if now.Sub(t.drawn) >= turnPause {
		t.view.turn++
	}
	t.drawn, t.dirty = now, false
	t.paint(t.view.frame())
}

// screenful is how many lines are kept to be drawn again: those of the
// tallest terminals.
const screenful = 200

// resize asks for the size of the terminal. Where that got narrower it has
// wrapped the lines of the frame, so that nobody knows where that began:
// everything is drawn anew.
func (t *tty) resize() {
	f, ok := t.w.(*os.File)
	if !ok {
		return
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return
	}
	narrower := width < t.view.width && t.rows > 0
	t.view.width, t.view.height = width, height
	if narrower {
		t.write(ansi.EraseEntireScreen + ansi.CursorHomePosition)
		t.rows = 0
		t.pending = append(slices.Clone(t.scrolled[max(0, len(t.scrolled)-height):]), t.pending...)
	}
}

// paint writes the lines that scroll by and a frame over the one that stands.
// Each line replaces what was in its place, so that nothing flickers.
func (t *tty) paint(frame []string) {
	var b strings.Builder
	if t.rows > 1 {
		b.WriteString(ansi.CursorUp(t.rows - 1))
	}
	if t.rows > 0 {
		b.WriteByte('\r')
	}
	lines := t.view.wrap(t.pending)
	for _, line := range lines {
		t.line(&b, line)
		b.WriteString("\r\n")
	}
	for i, line := range frame {
		if i > 0 {
			b.WriteString("\r\n")
		}
		t.line(&b, line)
	}
	if t.rows > 0 {
		b.WriteString(ansi.EraseScreenBelow)
	}
	t.scrolled = append(t.scrolled, lines...)
	if len(t.scrolled) > 2*screenful {
		t.scrolled = slices.Clone(t.scrolled[len(t.scrolled)-screenful:])
	}
	t.rows, t.pending = len(frame), nil
	t.write(b.String())
}

// line writes a line over another one. What a terminal erases after the last
// column is the character in it.
func (t *tty) line(b *strings.Builder, line string) {
	b.WriteString(line)
	if ansi.StringWidth(line) < t.view.width {
		b.WriteString(ansi.EraseLineRight)
	}
}

// write ignores errors: who closed the terminal has no use for the rest.
func (t *tty) write(text string) {
	if text != "" {
		_, _ = io.WriteString(t.w, text)
	}
}
