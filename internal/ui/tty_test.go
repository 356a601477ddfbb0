package ui

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"

	"zr/pkg/event"
)

// openPTY returns both ends of a new terminal.
func openPTY(t *testing.T, width, height int) (master, terminal *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	setSize(t, terminal, width, height)
	return master, terminal
}

func setSize(t *testing.T, terminal *os.File, width, height int) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(width), Row: uint16(height)}); err != nil {
		t.Fatal(err)
	}
}

// virtual is a terminal of unlimited height that obeys what a tty sends.
type virtual struct {
	mu     sync.Mutex
	width  int
	lines  [][]string // cells
	row    int
	column int
	hidden bool     // the cursor
	asked  []string // sequences that a terminal does not draw by
	parser *ansi.Parser
}

func newVirtual(width int) *virtual {
	v := &virtual{width: width, lines: [][]string{nil}}
	v.parser = ansi.NewParser()
	v.parser.SetHandler(ansi.Handler{Print: v.print, Execute: v.execute, HandleCsi: v.control})
	return v
}

func (v *virtual) print(r rune) {
	if v.column >= v.width {
		v.column = 0
		v.down()
	}
	for len(v.lines[v.row]) <= v.column {
		v.lines[v.row] = append(v.lines[v.row], " ")
	}
	v.lines[v.row][v.column] = string(r)
	v.column++
	for range ansi.StringWidth(string(r)) - 1 {
		v.lines[v.row] = append(v.lines[v.row][:v.column], "") // the other half of a wide one
		v.column++
	}
}

func (v *virtual) down() {
	v.row++
	for len(v.lines) <= v.row {
		v.lines = append(v.lines, nil)
	}
}

func (v *virtual) execute(b byte) {
	switch b {
	case '\r':
		v.column = 0
	case '\n':
		v.down()
	}
}

func (v *virtual) control(cmd ansi.Cmd, params ansi.Params) {
	n, _, _ := params.Param(0, 0)
	switch cmd.Final() {
	case 'A':
		v.row = max(0, v.row-max(1, n))
	case 'K':
		if n == 2 {
			v.lines[v.row] = nil
		} else {
			v.lines[v.row] = v.lines[v.row][:min(v.column, len(v.lines[v.row]))]
		}
	case 'J':
		if n == 2 {
			v.lines, v.row = [][]string{nil}, 0
			return
		}
		v.lines = v.lines[:v.row+1]
		v.lines[v.row] = v.lines[v.row][:min(v.column, len(v.lines[v.row]))]
	case 'H':
		v.row, v.column = 0, 0
	case 'h', 'l':
		if n == 25 {
			v.hidden = cmd.Final() == 'l'
		}
	case 'm':
	default:
		v.asked = append(v.asked, fmt.Sprintf("CSI %v %c", params, cmd.Final()))
	}
}

// text is what stands on the screen.
func (v *virtual) text() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var lines []string
	for _, cells := range v.lines {
		lines = append(lines, strings.TrimRight(strings.Join(cells, ""), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// window is a view on a virtual terminal.
type window struct {
	t        *testing.T
	master   *os.File
	terminal *os.File
	screen   *virtual
	read     chan struct{}
}

func openWindow(t *testing.T, width, height int) *window {
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("CI", "")
	master, terminal := openPTY(t, width, height)
	s := &window{t, master, terminal, newVirtual(width), make(chan struct{})}
	go func() {
		defer close(s.read)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			s.screen.mu.Lock()
			for _, b := range buf[:n] {
				s.screen.parser.Advance(b)
			}
			s.screen.mu.Unlock()
			if err != nil {
				return // EIO: the other end is closed
			}
		}
	}()
	return s
}

// shows waits until all of the texts stand on the screen.
func (s *window) shows(texts ...string) {
	s.t.Helper()
	s.await(fmt.Sprintf("%q to be shown", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// lacks waits until a text is gone from the screen.
func (s *window) lacks(text string) {
	s.t.Helper()
	s.await(fmt.Sprintf("%q to go", text), func(screen string) bool { return !strings.Contains(screen, text) })
}

func (s *window) await(what string, holds func(string) bool) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(s.screen.text()); {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain for %s; the screen:\n%s", what, s.screen.text())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *window) press(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *window) termios() unix.Termios {
	s.t.Helper()
	state, err := unix.IoctlGetTermios(int(s.terminal.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *state
}

// end closes the printer, reads what is left, and fails where the terminal
// was not given back as it was.
func (s *window) end(p Printer, before unix.Termios) {
	s.t.Helper()
	p.Close()
	after := s.termios()
	s.terminal.Close()
	<-s.read
	if len(s.screen.asked) > 0 {
		s.t.Errorf("the terminal was asked %q", s.screen.asked)
	}
	if s.screen.hidden || after != before {
		s.t.Errorf("the terminal was not given back as it was: the cursor is hidden: %v, %+v, want %+v", s.screen.hidden, after, before)
	}
}

func TestTTYUp(t *testing.T) {
	s := openWindow(t, 70, 24)
	before := s.termios()
	p := New(s.terminal, Auto)
	p.Emit(event.StepStarted{Step: "config", Title: "Configuration"})
	p.Emit(event.StepDone{Step: "config", Took: 3 * time.Millisecond, Detail: "config/dev.yaml"})
	p.Emit(event.StepStarted{Step: "load", Title: "Loading images"})
	p.Emit(event.StepProgress{Step: "load", Done: 50 << 20, Total: 100 << 20, Unit: "bytes", Detail: strings.Repeat("long ", 40)})
	s.shows("✓ Configuration · config/dev.yaml (3 ms)\n", "Loading images ██████████░░░░░░░░░░ · 50 MiB of 100 MiB", "…")
	p.Emit(event.StepDone{Step: "load", Took: time.Second})
	p.Emit(event.StepStarted{Step: "health/db", Title: "Waiting for db", Deadline: time.Now().Add(3*time.Minute + 500*time.Millisecond)})
	p.Emit(event.ServiceState{Service: "db", State: event.Starting, Reason: "its container is being made"})
	s.shows("✓ Loading images (1.0 s)", "Waiting for db (3m0", "s left) · its container is being made")
	p.Emit(event.StepFailed{Step: "health/db", Took: 2 * time.Second, Error: "it crashed\nwith more"})
	p.Emit(event.Ready{Endpoints: map[string]string{"web": "http://localhost:3000"}, Took: time.Minute, Next: "zr dev"})
	s.end(p, before)
	want := `✓ Configuration · config/dev.yaml (3 ms)
✓ Loading images (1.0 s)
✗ Waiting for db: it crashed … (2.0 s)

Ready (1m00s)
  web  http://localhost:3000

Next: zr dev`
	if got := s.screen.text(); got != want {
		t.Errorf("the screen in the end:\n%s\nwant:\n%s", got, want)
	}
}

func TestTTYDev(t *testing.T) {
	s := openWindow(t, 90, 24)
	before := s.termios()
	p, commands := NewDev(s.terminal, s.terminal, Auto, []string{"api", "web"})
	s.shows("○ api  pending", "○ web  pending", "r rebuild")
	if s.termios() == before {
		t.Error("the keys are not read one by one")
	}
	for _, batch := range devScript()[:2] {
		for _, e := range batch {
			p.Emit(e.Event)
		}
	}
	s.shows("● api  healthy", "● web  healthy", "api      I listening addr=:3001", "api/b    E no    database", "1200 lines of web left out")

	p.Emit(event.Problem{Source: "api", Text: "main.go:12:4: undefined: x\nmain.go:14:4: undefined: y"})
	p.Emit(event.Reload{Service: "api", Paths: []string{"main.go"}, Error: "main.go:12:4: undefined: x"})
	s.shows("✗ api: main.go:12:4: undefined: x\n  main.go:14:4: undefined: y", "the last save is not live")
	if n := strings.Count(s.screen.text(), "undefined: x"); n != 1 {
		t.Errorf("the problem is shown %d times", n)
	}
	p.Emit(event.Problem{Source: "api", Cleared: true})
	p.Emit(event.Reload{Service: "api", Paths: []string{"main.go"}, Noticed: 14 * time.Millisecond, Built: 300 * time.Millisecond})
	s.lacks("undefined")
	s.shows("314 ms · ", "noticed 14 ms · built 300 ms")

	s.press("l")
	s.shows("l info and above")
	s.press("ll")
	s.shows("l errors", "── all services, error ──")
	p.Emit(event.LogLine{Service: "api", Pod: "api-5d-b", Level: "warning", Text: "hidden by the level"})
	p.Emit(event.LogLine{Service: "api", Pod: "api-5d-b", Level: "error", Text: "panic: x"})
	p.Emit(event.LogLine{Service: "api", Pod: "api-5d-b", Text: "\tof the stack"})
	s.shows("panic: x", "of the stack")
	if strings.Contains(s.screen.text(), "hidden by the level") {
		t.Error("a warning passed the filter")
	}
	s.press("lf")
	s.shows("f only api", "l all levels")
	s.press("rRoq")
	for _, want := range []Command{{Rebuild, "api"}, {Restart, "api"}, {Open, "api"}, {Kind: Quit}} {
		if got := <-commands; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	s.end(p, before)
	if got := s.screen.text(); strings.Contains(got, "rebuild") || strings.Contains(got, "● api") {
		t.Errorf("the frame stayed:\n%s", got)
	}
}

// TestTTYKeys types what are no letters, but end in them.
func TestTTYKeys(t *testing.T) {
	s := openWindow(t, 90, 24)
	before := s.termios()
	p, commands := NewDev(s.terminal, s.terminal, Auto, []string{"api"})
	s.shows("r rebuild")
	s.press("\x1bOR\x1b[1;5R\x1br\x1b]11;rgb:ff/ff/ff\x07é\x1b")
	s.press("\x1b[A")
	s.press("q")
	if got := <-commands; got.Kind != Quit {
		t.Errorf("got %v", got)
	}
	s.end(p, before)
}

// TestTTYRelease ends a process that closes no printer.
func TestTTYRelease(t *testing.T) {
	s := openWindow(t, 80, 24)
	before := s.termios()
	p, _ := NewDev(s.terminal, s.terminal, Auto, []string{"api"})
	s.shows("r rebuild")
	Release()
	if s.termios() != before {
		t.Error("keys are still read one by one")
	}
	s.lacks("r rebuild")
	p.Emit(event.Notice{Text: "later"}) // waits for nobody
	s.end(p, before)
}

// TestTTYSuspend types Ctrl-Z where nobody could continue the process.
func TestTTYSuspend(t *testing.T) {
	const child = "ZR_TEST_UI_SESSION"
	if os.Getenv(child) != "" {
		p, commands := NewDev(os.Stdout, os.Stdin, TTY, []string{"api"})
		for c := range commands {
			if p.Emit(event.Notice{Text: "typed " + string(c.Kind)}); c.Kind == Quit {
				break
			}
		}
		p.Close()
		return
	}
	s := openWindow(t, 80, 24)
	before := s.termios()
	cmd := exec.Command(os.Args[0], "-test.run=^TestTTYSuspend$")
	cmd.Env = append(os.Environ(), child+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.terminal, s.terminal, s.terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.shows("r rebuild")
	s.press("\x1a")
	s.lacks("r rebuild")
	if s.termios() != before {
		t.Error("the shell would not get its terminal back")
	}
	s.shows("r rebuild")
	s.press("r")
	s.shows("typed rebuild")
	s.press("q")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	s.lacks("r rebuild")
	if s.termios() != before {
		t.Error("the terminal was not given back as it was")
	}
}

// TestTTYOrder floods the terminal and looks whether lines changed places.
func TestTTYOrder(t *testing.T) {
	s := openWindow(t, 40, 24)
	p := New(s.terminal, Auto)
	for i := range 3000 {
		p.Emit(event.LogLine{Service: "api", Pod: "p", Text: "n" + strconv.Itoa(i)})
	}
	s.end(p, s.termios())
	for i, line := range strings.Split(s.screen.text(), "\n") {
		if want := "n" + strconv.Itoa(i); !strings.HasSuffix(line, " "+want) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}

// TestTTYNarrow makes the terminal narrower and shorter than the view.
func TestTTYNarrow(t *testing.T) {
	s := openWindow(t, 24, 4)
	p, _ := NewDev(s.terminal, s.terminal, Auto, []string{"api", "web", "db"})
	p.Emit(event.Problem{Source: "api", Text: "main.go:12:4: undefined: x"})
	p.Emit(event.LogLine{Service: "api", Pod: "p", Level: "info", Text: strings.Repeat("wide 日本", 10)})
	s.shows("○ db   pending", "r rebuild")
	p.Close()
	s.terminal.Close()
	<-s.read
	for _, line := range strings.Split(s.screen.text(), "\n") {
		if ansi.StringWidth(line) > 24 {
			t.Errorf("too wide: %q", line)
		}
	}
}

// TestTTYResize makes the terminal narrower while the view stands.
func TestTTYResize(t *testing.T) {
	s := openWindow(t, 80, 24)
	p, _ := NewDev(s.terminal, s.terminal, Auto, []string{"api", "web"})
	for i := range 10 {
		p.Emit(event.LogLine{Service: "api", Pod: "p", Level: "info", Text: fmt.Sprintf("line %d", i)})
	}
	p.Emit(event.Notice{Text: strings.Repeat("wide ", 30)})
	s.shows("line 9", "○ web  pending", "q quit")
	s.screen.mu.Lock()
	s.screen.width = 40
	s.screen.mu.Unlock()
	setSize(t, s.terminal, 40, 24)
	// The kernel tells only those whose controlling terminal it is.
	if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	p.Emit(event.ServiceState{Service: "web", State: event.Healthy})
	s.await("one frame of the new width", func(screen string) bool {
		return strings.Count(screen, "api  pending") == 1 && strings.Contains(screen, "\n"+strings.Repeat("─", 39)+"\n") &&
			strings.Contains(screen, "line 9") && strings.Contains(screen, "● web  healthy")
	})
	p.Close()
}

// TestTTYLost takes the terminal away.
func TestTTYLost(t *testing.T) {
	s := openWindow(t, 80, 24)
	p := New(s.terminal, Auto)
	p.Emit(event.StepStarted{Step: "a", Title: "Step a"})
	s.shows("Step a")
	s.master.Close()
	p.Emit(event.StepDone{Step: "a"})
	p.Close()
}

func TestNoColour(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	v := newView(newPalette(), nil)
	v.take(event.StepStarted{Step: "a", Title: "A"}, time.Now())
	if got := strings.Join(v.frame(), "") + strings.Join(v.take(event.StepDone{Step: "a"}, time.Now()), ""); strings.Contains(got, "\x1b") {
		t.Errorf("coloured: %q", got)
	}
	t.Setenv("NO_COLOR", "")
	v = newView(newPalette(), nil)
	if got := v.voice.done("A", event.StepDone{}); !strings.Contains(got, "\x1b[32m✓") {
		t.Errorf("not coloured: %q", got)
	}
	first := v.voice.p.service("api", "x")
	if v.voice.p.service("web", "x") == first || v.voice.p.service("api", "x") != first {
		t.Error("the colours of services are not told apart, or not stable")
	}
}

func TestAColourEndsWithItsRow(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	v := voice{p: newPalette()}
	rows := v.logLine(event.LogLine{Service: "api", Level: "error", Text: strings.Repeat("panic ", 200)}, 60)
	if len(rows) != maxRows {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		if !strings.Contains(row, "\x1b[31m") || !strings.HasSuffix(row, ansi.ResetStyle) {
			t.Errorf("the colour is not the row's own: %q", row)
		}
	}
}
