package ui

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"zr/pkg/event"
)

// Command is what somebody asks for by a key. Service is empty where all are
// meant.
type Command struct {
	Kind    Kind
	Service string
}

// Kind is the kind of a Command.
type Kind string

// The kinds of commands.
const (
	Rebuild Kind = "rebuild" // build and make live again
	Restart Kind = "restart" // start the process again
	Open    Kind = "open"    // show the dashboard in a browser
	Quit    Kind = "quit"
)

// NewDev returns the printer of `zr dev`, and the commands that
// are typed while it is shown. On a terminal that is one line per service,
// what is wrong, and the keys, with the logs scrolling above; elsewhere it is
// the same as New, and there are no commands.
//
// Services are listed in the order given, and others as they appear. While
// keys are read, Ctrl-C reaches the process as the signal that it is
// otherwise, so that the caller's context ends as ever; the caller closes the
// printer before it exits.
func NewDev(w io.Writer, in *os.File, m Mode, services []string) (Printer, <-chan Command) {
	if in != nil && !isTerminal(in) {
		in = nil
	}
	d := newDevView(services, in != nil)
	return newPrinter(w, in, m, d), d.commands
}

// devView is the frame of `zr dev`.
type devView struct {
	rows     []*row
	problems []event.Problem
	recent   recent
	keys     bool // whether keys are read
	commands chan Command
	service  string // the one whose lines are shown; empty for all
	level    string // the least severe level shown; empty for all
	sources  []string
}

// row is the line of a service.
type row struct {
	event.ServiceState
	since time.Time
	last  *event.Reload
	at    time.Time // when it was last made live, or failed to be
}

func newDevView(services []string, keys bool) *devView {
	d := &devView{keys: keys, commands: make(chan Command, 16)}
	for _, s := range services {
		d.row(s)
	}
	return d
}

// row returns the line of a service, made when it is first named.
func (d *devView) row(service string) *row {
	if i := slices.IndexFunc(d.rows, func(r *row) bool { return r.Service == service }); i >= 0 {
		return d.rows[i]
	}
	r := &row{ServiceState: event.ServiceState{Service: service, State: event.Pending}}
	d.rows = append(d.rows, r)
	return r
}

// busy tells that something moves.
func (d *devView) busy() bool {
	return slices.ContainsFunc(d.rows, (*row).busy)
}

func (r *row) busy() bool {
	return r.State == event.Building || r.State == event.Reloading || r.State == event.Starting
}

// take keeps what an event changes. It returns false for events that are
// shown as anywhere else.
func (d *devView) take(v *view, e event.Event, at time.Time) ([]string, bool) {
	switch e := e.(type) {
	case event.ServiceState:
		if e.State == event.Removed {
			d.rows = slices.DeleteFunc(d.rows, func(r *row) bool { return r.Service == e.Service })
			return nil, true
		}
		r := d.row(e.Service)
		if r.State != e.State {
			r.since = at
		}
		if e.Build == "" {
			e.Build = r.Build
		}
		r.ServiceState = e
		return nil, v.steps.waitsFor(e.Service) == nil // its step tells more
	case event.Reload:
		r := d.row(e.Service)
		r.last, r.at = &e, at
		if e.Error == "" || d.standing(e.Error) {
			return nil, true
		}
		return v.voice.reload(e), true
	case event.Problem:
		d.problem(e)
		return nil, true
	case event.LogLine:
		return d.logLine(v, e), true
	}
	return nil, false
}

// standing tells that a text is part of a problem that is shown already.
func (d *devView) standing(text string) bool {
	return slices.ContainsFunc(d.problems, func(p event.Problem) bool {
		return strings.Contains(p.Text, text) || strings.Contains(text, p.Text)
	})
}

// problem notes a problem instead of the one that its source had, or ends it.
func (d *devView) problem(e event.Problem) {
	i := slices.IndexFunc(d.problems, func(p event.Problem) bool { return p.Source == e.Source })
	switch {
	case e.Cleared && i >= 0:
		d.problems = slices.Delete(d.problems, i, i+1)
	case e.Cleared:
	case i >= 0:
		d.problems[i] = e
	default:
		d.problems = append(d.problems, e)
	}
}

// frame draws what stands at the bottom, in at most so many lines: services
// and keys first, then as much of the problems as there is room for.
func (d *devView) frame(v *view, at time.Time, room int) []string {
	p := v.voice.p
	var lines []string
	width := 0
	for _, r := range d.rows {
		width = max(width, len(r.Service))
	}
	for _, r := range d.rows {
		lines = append(lines, d.rowLine(v, r, width, at))
	}
	if d.keys {
		lines = append(lines, d.keyLine(p))
	}
	lines = append([]string{p.dim(strings.Repeat("─", max(0, v.width-1)))}, lines...)
	problems := d.problemLines(v, room-len(lines))
	lines = append(problems, lines...)
	return lines[max(0, len(lines)-max(1, room)):]
}

func (d *devView) problemLines(v *view, room int) []string {
	var lines []string
	for _, e := range d.problems {
		lines = append(lines, v.voice.problem(e)...)
	}
	if len(lines) > room && room > 0 {
		hidden := len(lines) - room + 1
		lines = append(lines[:room-1], v.voice.p.dim("  … "+amount(int64(hidden), "more lines")))
	}
	return lines[:max(0, min(len(lines), room))]
}

func (d *devView) rowLine(v *view, r *row, width int, at time.Time) string {
	p := v.voice.p
	mark := v.voice.mark(r.State)
	if r.busy() {
		mark = v.spinner()
	}
	state := string(r.State)
	if r.State == event.Unhealthy || r.State == event.Failed {
		state = p.red(state)
	}
	line := mark + " " + p.service(r.Service, pad(r.Service, width)) + "  " + pad(state, len(event.Reloading))
	switch {
	case r.busy() && r.State != event.Starting:
		line += "  " + p.dim(r.doing(at))
	case r.State != event.Healthy && r.Reason != "":
		line += "  " + stateText(r.ServiceState)
	case r.last != nil && r.last.Error != "":
		told := "the last save is not live"
		if r.last.Action == event.Apply {
			told = "the last save is not applied"
		}
		if r.last.RolledBack {
			told += ", the version before is"
		}
		line += "  " + p.red(told) + p.dim(" · "+r.at.Format(time.TimeOnly))
	case r.last != nil:
		line += "  " + p.bold(Duration(total(*r.last))) + p.dim(" · "+r.at.Format(time.TimeOnly)+" · "+trace(*r.last, false))
	}
	return line
}

// doing says what a save leads to, and for how long that takes already.
func (r *row) doing(at time.Time) string {
	var parts []string
	if r.Reason != "" {
		parts = append(parts, stateText(r.ServiceState))
	}
	if took := at.Sub(r.since).Truncate(time.Second); took > 0 {
		parts = append(parts, left(took))
	}
	return strings.Join(parts, " · ")
}

// keyLine tells the keys, and what they were set to.
func (d *devView) keyLine(p *palette) string {
	service, level := "all services", "all levels"
	if d.service != "" {
		service = "only " + d.service
	}
	if d.level != "" {
		level = d.level + " and above"
		if d.level == "error" {
			level = "errors"
		}
	}
	var b strings.Builder
	for _, k := range [][2]string{{"r", "rebuild"}, {"R", "restart"}, {"o", "open"}, {"f", service}, {"l", level}, {"q", "quit"}} {
		b.WriteString(p.bold(k[0]) + p.dim(" "+k[1]) + "   ")
	}
	return strings.TrimRight(b.String(), " ")
}

// key obeys a key, and returns the lines that it makes scroll by.
func (d *devView) key(v *view, key byte) []string {
	switch key {
	case 'r':
		d.send(Command{Rebuild, d.service})
	case 'R':
		d.send(Command{Restart, d.service})
	case 'o':
		d.send(Command{Open, d.service})
	case 'q':
		d.send(Command{Kind: Quit})
	case 'f':
		d.service = next(d.service, append([]string{""}, d.sources...))
		return d.again(v)
	case 'l':
		d.level = next(d.level, []string{"", "info", "warning", "error"})
		return d.again(v)
	}
	return nil
}

// send never waits: who does not listen misses it.
func (d *devView) send(c Command) {
	select {
	case d.commands <- c:
	default:
	}
}

// next returns what follows a value in a circle.
func next(value string, circle []string) string {
	return circle[(slices.Index(circle, value)+1)%len(circle)]
}

// interrupt sends this process the signal that Ctrl-C is where nobody reads
// keys.
func interrupt() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(os.Interrupt)
	}
}
