package ui

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"

	_ "before.zr/background" // must be initialised before bubbletea
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"zr/pkg/event"
)

// framesPerSecond bounds how often the screen is drawn. A spinner needs ten;
// every further one costs an idle view a wake-up.
const framesPerSecond = 20

// tty shows events on a terminal: what is over scrolls by, what runs stays in
// a frame at the bottom.
type tty struct {
	program *tea.Program
	ended   chan struct{}
	// fallback takes over where the terminal is lost.
	fallback *plain
}

// newTTY starts to draw on w. Keys are read from in where that is not nil.
func newTTY(w io.Writer, in *os.File, dev *devView) *tty {
	options := []tea.ProgramOption{
		tea.WithOutput(w), tea.WithFPS(framesPerSecond), tea.WithoutBracketedPaste(),
		// The caller's context ends the run, and Close the view.
		tea.WithoutSignalHandler(),
	}
	if in != nil {
		options = append(options, tea.WithInput(in))
	} else {
		options = append(options, tea.WithInput(nil))
	}
	t := &tty{ended: make(chan struct{}), fallback: newPlain(w)}
	t.program = tea.NewProgram(newView(newPalette(w), dev), options...)
	go func() {
		defer close(t.ended)
		_, _ = t.program.Run() // without it the fallback shows the rest
	}()
	return t
}

// batch hands events to the view, which answers with the lines that scroll.
type batch struct {
	events []stamped
	lines  chan []string
}

type closing struct{}

func (t *tty) show(events []stamped) {
	b := batch{events, make(chan []string, 1)}
	t.program.Send(b) // returns at once when the program has ended
	select {
	case lines := <-b.lines:
		// Sent from here and not as the view's command: those run all at
		// once, and lines would change places.
		t.scroll(lines)
	case <-t.ended:
		t.fallback.show(events)
	}
}

func (t *tty) scroll(lines []string) {
	if len(lines) > 0 {
		t.program.Send(tea.Println(strings.Join(lines, "\n"))())
	}
}

func (t *tty) close() {
	t.program.Send(closing{})
	<-t.ended
}

// view is what stands at the bottom of the terminal. Only the program's own
// goroutine touches it.
type view struct {
	voice  voice
	steps  steps
	dev    *devView // nil where nothing is developed
	width  int
	height int

	sized bool // whether the size is known from the terminal
	// scrolled are the last lines above the frame.
	scrolled []string

	frame   int // of the spinner
	ticking bool
	closed  bool
}

func newView(p *palette, dev *devView) *view {
	return &view{voice: voice{p: p}, dev: dev, width: 80, height: 24}
}

type tick struct{}

// Init is part of tea.Model.
func (v *view) Init() tea.Cmd { return nil }

// Update is part of tea.Model.
func (v *view) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case batch:
		var lines []string
		for _, e := range msg.events {
			lines = append(lines, v.take(e.Event, e.at)...)
		}
		lines = v.wrap(lines)
		v.remember(lines)
		msg.lines <- lines
		return v, v.spin()
	case tick:
		v.ticking = false
		v.frame++
		return v, v.spin()
	case tea.WindowSizeMsg:
		return v, v.resize(msg)
	case tea.KeyMsg:
		if v.dev != nil {
			return v, v.dev.key(v, msg)
		}
	case closing:
		v.closed = true
		return v, tea.Quit
	}
	return v, nil
}

// wrap cuts lines that are wider than the terminal in two. Were that left to
// the terminal, what stood there before would show through after the end.
func (v *view) wrap(lines []string) []string {
	var wrapped []string
	for _, line := range lines {
		if ansi.StringWidth(line) > v.width {
			line = ansi.Hardwrap(line, v.width, true)
		}
		wrapped = append(wrapped, strings.Split(line, "\n")...)
	}
	return wrapped
}

// screenful is how many lines are kept to be drawn again: those of the
// tallest terminals.
const screenful = 200

func (v *view) remember(lines []string) {
	v.scrolled = append(v.scrolled, lines...)
	if len(v.scrolled) > 2*screenful {
		v.scrolled = slices.Clone(v.scrolled[len(v.scrolled)-screenful:])
	}
}

// spin keeps the spinners turning while there is something that runs, and the
// program asleep otherwise.
func (v *view) spin() tea.Cmd {
	if v.ticking || len(v.steps.running) == 0 && (v.dev == nil || !v.dev.busy()) {
		return nil
	}
	v.ticking = true
	return tea.Tick(100*time.Millisecond, func(time.Time) tea.Msg { return tick{} })
}

// resize draws anew where the terminal got narrower: it has wrapped the lines
// of the frame, so that nobody knows where the frame began.
func (v *view) resize(size tea.WindowSizeMsg) tea.Cmd {
	narrower := size.Width < v.width && v.sized
	v.width, v.height, v.sized = size.Width, size.Height, true
	if !narrower || v.View() == "" {
		return nil
	}
	again := v.scrolled[max(0, len(v.scrolled)-v.height):]
	return tea.Sequence(tea.ClearScreen, tea.Println(strings.Join(again, "\n")))
}

// take keeps what an event changes, and returns the lines that scroll by.
func (v *view) take(e event.Event, at time.Time) []string {
	if v.dev != nil {
		if lines, taken := v.dev.take(v, e, at); taken {
			return lines
		}
	}
	switch e := e.(type) {
	case event.StepStarted:
		v.steps.start(e, at)
	case event.StepProgress:
		if st := v.steps.find(e.Step); st != nil {
			st.progress = e
		}
	case event.StepDone:
		return []string{fit(v.voice.done(v.steps.end(e.Step), e), v.width)}
	case event.StepFailed:
		return []string{fit(v.voice.failed(v.steps.end(e.Step), e), v.width)}
	case event.ServiceState:
		if st := v.steps.waitsFor(e.Service); st != nil {
			st.state = stateText(e)
		}
	case event.Notice:
		return v.voice.notice(e)
	case event.LogLine:
		return v.voice.logLine(e, v.width)
	case event.Skipped:
		return []string{v.voice.skipped(e)}
	case event.Reload:
		return v.voice.reload(e)
	case event.Problem:
		return v.voice.problem(e)
	case event.Ready:
		return v.voice.ready(e)
	}
	return nil
}

// View is part of tea.Model.
func (v *view) View() string {
	if v.closed {
		return ""
	}
	var lines []string
	at := time.Now()
	for _, st := range v.steps.running {
		lines = append(lines, v.stepLine(st, at))
	}
	if v.dev != nil {
		lines = append(lines, v.dev.frame(v, at, v.height-1-len(lines))...)
	}
	// The terminal's last column is left free: some wrap when it is written.
	for i := range lines {
		lines[i] = fit(lines[i], v.width-1)
	}
	return strings.Join(lines, "\n")
}

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

func (v *view) spinner() string {
	return v.voice.p.cyan(string(spinner[v.frame%len(spinner)]))
}

// barWidth is the width of a progress bar.
const barWidth = 20

// stepLine draws a step that runs: how far, what is left, until when.
func (v *view) stepLine(st *step, at time.Time) string {
	p := v.voice.p
	line := v.spinner() + " " + st.Title
	if percent := st.percent(); percent >= 0 {
		full := percent * barWidth / 100
		line += " " + p.cyan(strings.Repeat("█", full)) + p.dim(strings.Repeat("░", barWidth-full))
	}
	if far := st.far(at); far != "" {
		line += " " + p.dim("· "+far)
	}
	if st.Deadline.IsZero() {
		// A count that changes every second for what takes one is restless.
		if elapsed := at.Sub(st.began); elapsed >= 2*time.Second {
			line += " " + p.dim("("+left(elapsed.Truncate(time.Second))+")")
		}
		return line
	}
	// What a wait has left stands where it is seen on a narrow terminal too.
	return v.spinner() + " " + st.Title + " " + p.yellow("("+left(st.Deadline.Sub(at))+" left)") + strings.TrimPrefix(line, v.spinner()+" "+st.Title)
}
