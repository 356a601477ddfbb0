package ui

import (
	"io"
	"slices"
	"strings"
	"time"

	"zr/pkg/event"
)

// plain writes a line for each event that has weight, and no control
// characters.
type plain struct {
	w     io.Writer
	voice voice
	steps steps
	// told is the last state of each service that was written, and when.
	told   map[string]event.ServiceState
	toldAt map[string]time.Time
	// problems are those that stand, by source.
	problems map[string]string
}

func newPlain(w io.Writer) *plain {
	return &plain{w: w, voice: voice{p: noColour()}, told: map[string]event.ServiceState{},
		toldAt: map[string]time.Time{}, problems: map[string]string{}}
}

// often is how often a plain log hears of progress: every 10 s, or every
// tenth where that is not less than a second.
const often, tenth = 10 * time.Second, 10

func (p *plain) close() {}

func (p *plain) show(batch []stamped) {
	var b strings.Builder
	for _, e := range batch {
		for _, line := range p.lines(e.Event, e.at) {
			b.WriteString(strings.TrimRight(line, " "))
			b.WriteByte('\n')
		}
	}
	_, _ = io.WriteString(p.w, b.String()) // who does not read on has no use for the error
}

func (p *plain) lines(e event.Event, at time.Time) []string {
	switch e := e.(type) {
	case event.StepStarted:
		st := p.steps.start(e, at)
		line := "… " + st.Title
		if !e.Deadline.IsZero() {
			line += " (at most " + left(e.Deadline.Sub(at)) + ")"
		}
		return []string{line}
	case event.StepProgress:
		return p.progress(e, at)
	case event.StepDone:
		return []string{p.voice.done(p.steps.end(e.Step), e)}
	case event.StepFailed:
		return []string{p.voice.failed(p.steps.end(e.Step), e)}
	case event.Notice:
		return p.voice.notice(e)
	case event.ServiceState:
		return p.state(e, at)
	case event.LogLine:
		return p.voice.logLine(e, 0)
	case event.Skipped:
		return []string{p.voice.skipped(e)}
	case event.Reload:
		return p.voice.reload(e)
	case event.Problem:
		return p.problem(e)
	case event.Ready:
		return p.voice.ready(e)
	}
	return nil
}

func (p *plain) progress(e event.StepProgress, at time.Time) []string {
	st := p.steps.find(e.Step)
	if st == nil {
		return nil
	}
	st.advance(e, at)
	since := at.Sub(st.said)
	much := e.Total > 0 && tenth*(e.Done-st.saidDone) >= e.Total
	if since < often && (!much || since < time.Second) {
		return nil
	}
	st.said, st.saidDone = at, e.Done
	return []string{"… " + st.Title + ": " + st.far(at)}
}

// state writes the states that no step tells of: a wait says itself when it
// begins and how it ends.
func (p *plain) state(e event.ServiceState, at time.Time) []string {
	before, known := p.told[e.Service]
	if e == before && known {
		return nil
	}
	final := slices.Contains([]event.State{event.Healthy, event.Unhealthy, event.Stopped, event.Removed, event.Applied, event.Failed}, e.State)
	if st := p.steps.waitsFor(e.Service); st != nil {
		if final || at.Sub(p.toldAt[e.Service]) < often {
			return nil
		}
	} else if known && before.State == e.State && !final && at.Sub(p.toldAt[e.Service]) < often {
		return nil
	}
	p.told[e.Service], p.toldAt[e.Service] = e, at
	return []string{p.voice.state(e)}
}

func (p *plain) problem(e event.Problem) []string {
	if e.Cleared {
		if p.problems[e.Source] == "" {
			return nil
		}
		delete(p.problems, e.Source)
		return p.voice.problem(e)
	}
	if p.problems[e.Source] == e.Text {
		return nil // it stands; once is enough
	}
	p.problems[e.Source] = e.Text
	return p.voice.problem(e)
}
