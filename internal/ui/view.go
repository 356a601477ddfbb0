package ui

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"zr/pkg/event"
)

// view is what stands at the bottom of the terminal. Only the goroutine of its
// tty touches it.
type view struct {
	voice  voice
	steps  steps
	dev    *devView // nil where nothing is developed
	width  int
	height int
	turn   int // of the spinner
}

func newView(p *palette, dev *devView) *view {
	return &view{voice: voice{p: p}, dev: dev, width: 80, height: 24}
}

// busy tells that there is something that runs, and spinners that turn.
func (v *view) busy() bool {
	return len(v.steps.running) > 0 || v.dev != nil && v.dev.busy()
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
			st.advance(e, at)
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

// frame draws what runs, in no more lines than the terminal has.
func (v *view) frame() []string {
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
	return lines[max(0, len(lines)-v.height):]
}

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

func (v *view) spinner() string {
	return v.voice.p.cyan(string(spinner[v.turn%len(spinner)]))
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
