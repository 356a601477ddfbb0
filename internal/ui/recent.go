package ui

import (
	"slices"
	"strings"

	"zr/pkg/event"
)

// recent keeps the last lines of a run, so that a new filter has
// something to show.
type recent struct {
	lines []event.LogLine
	level map[string]string // of the last line that had one, by container
}

// keepLines is how many lines are kept, at about 200 bytes each, and keepText how
// much of one, in bytes: no screen shows more.
const (
	keepLines = 2000
	keepText  = 1 << 10
)

// shownAgain is how many of them a new filter shows.
const shownAgain = 20

// add keeps a line and returns it with the level that it is filtered by: a
// line that continues another one (of a stack trace) has that one's.
func (r *recent) add(l event.LogLine) event.LogLine {
	if r.level == nil {
		r.level = map[string]string{}
	}
	of := l.Pod + "/" + l.Container
	if l.Level == "" && continues(l.Text) {
		l.Level = r.level[of]
	}
	r.level[of] = l.Level
	if len(r.lines) >= 2*keepLines {
		r.lines = slices.Clone(r.lines[keepLines:])
	}
	kept := l
	if len(kept.Text) > keepText {
		kept.Text = strings.ToValidUTF8(strings.Clone(kept.Text[:keepText]), "") + "…"
	}
	r.lines = append(r.lines, kept)
	return l
}

func continues(text string) bool {
	return text == "" || strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "goroutine ")
}

var severity = map[string]int{"debug": 0, "": 1, "info": 1, "warning": 2, "error": 3}

// wants tells whether a line passes the filters.
func (d *devView) wants(l event.LogLine) bool {
	return (d.service == "" || d.service == l.Service) && (d.level == "" || severity[l.Level] >= severity[d.level])
}

func (d *devView) logLine(v *view, l event.LogLine) []string {
	if !slices.Contains(d.sources, l.Service) {
		d.sources = append(d.sources, l.Service)
		slices.Sort(d.sources)
	}
	l = d.recent.add(l)
	if !d.wants(l) {
		return nil
	}
	return v.voice.logLine(l, v.width-1)
}

// again shows the last lines that pass the filters after these changed.
func (d *devView) again(v *view) []string {
	var wanted []event.LogLine
	for i := len(d.recent.lines) - 1; i >= 0 && len(wanted) < shownAgain; i-- {
		if d.wants(d.recent.lines[i]) {
			wanted = append(wanted, d.recent.lines[i])
		}
	}
	slices.Reverse(wanted)
	service, level := d.service, d.level
	if service == "" {
		service = "all services"
	}
	if level == "" {
		level = "all levels"
	}
	lines := []string{v.voice.p.dim("── " + service + ", " + level + " ──")}
	for _, l := range wanted {
		lines = append(lines, v.voice.logLine(l, v.width-1)...)
	}
	return lines
}
