package ui

import (
	"slices"
	"strings"
	"time"

	"zr/pkg/event"
)

// step is one that runs.
type step struct {
	event.StepStarted
	began    time.Time
	progress event.StepProgress
	marks    []mark // how far it was before, the oldest first
	state    string // of the service that the step waits for

	said     time.Time // when progress was last told, for plain lines
	saidDone int64
}

// mark is how far a step was at a moment.
type mark struct {
	at   time.Time
	done int64
}

// paceSpan is over which time the pace of a step is taken. What a first build
// begins with (downloads, packages that all others need) says little about what
// is left, and the links at its end less.
const paceSpan = 20 * time.Second

// advance notes how far the step is.
func (st *step) advance(e event.StepProgress, at time.Time) {
	if e.Total != st.progress.Total && st.progress.Total <= 0 || e.Done < st.progress.Done {
		st.marks = nil // nothing was counted until now, or it begins anew
	}
	st.progress = e
	if e.Total <= 0 {
		return
	}
	if n := len(st.marks); n == 0 || at.Sub(st.marks[n-1].at) >= time.Second {
		st.marks = append(st.marks, mark{at, e.Done})
	}
	for len(st.marks) > 1 && at.Sub(st.marks[1].at) >= paceSpan {
		st.marks = st.marks[1:]
	}
}

// steps are the ones that run, in the order in which they began.
type steps struct{ running []*step }

func (s *steps) start(e event.StepStarted, at time.Time) *step {
	s.end(e.Step) // the same step again: it was retried
	st := &step{StepStarted: e, began: at, said: at}
	if st.Title == "" {
		st.Title = e.Step
	}
	s.running = append(s.running, st)
	return st
}

func (s *steps) find(name string) *step {
	if i := s.index(name); i >= 0 {
		return s.running[i]
	}
	return nil
}

func (s *steps) index(name string) int {
	return slices.IndexFunc(s.running, func(st *step) bool { return st.Step == name })
}

// end removes a step and returns its title.
func (s *steps) end(name string) string {
	i := s.index(name)
	if i < 0 {
		return name
	}
	title := s.running[i].Title
	s.running = slices.Delete(s.running, i, i+1)
	return title
}

// waitsFor returns the step that waits for a service. Gates name their steps
// so that what a service does can be told in the step's own line.
func (s *steps) waitsFor(service string) *step { return s.find("health/" + service) }

// percent is how far a step is, or -1 where that is not known.
func (st *step) percent() int {
	if st.progress.Total <= 0 {
		return -1
	}
	return int(min(100, 100*st.progress.Done/st.progress.Total))
}

// remaining estimates how long a step still takes at the pace of the last
// seconds, 0 where it is too early to say.
func (st *step) remaining(at time.Time) time.Duration {
	p := st.progress
	if p.Total <= 0 || p.Done >= p.Total || len(st.marks) == 0 {
		return 0
	}
	elapsed, done := at.Sub(st.marks[0].at), p.Done-st.marks[0].done
	// An estimate from the first seconds or percents jumps about.
	if done <= 0 || elapsed < 2*time.Second || st.percent() < 3 {
		return 0
	}
	return time.Duration(float64(elapsed) * float64(p.Total-p.Done) / float64(done))
}

// far says how far a step is and what is left, in words.
func (st *step) far(at time.Time) string {
	var parts []string
	p := st.progress
	switch {
	case p.Total > 0:
		parts = append(parts, ofTotal(p.Done, p.Total, p.Unit))
		if r := st.remaining(at); r > 0 {
			parts = append(parts, "about "+left(r)+" left")
		}
	case p.Done > 0:
		parts = append(parts, amount(p.Done, p.Unit))
	}
	if p.Detail != "" {
		detail, _ := firstLine(plainText(p.Detail))
		parts = append(parts, detail)
	}
	if st.state != "" {
		parts = append(parts, st.state)
	}
	return strings.Join(parts, " · ")
}
