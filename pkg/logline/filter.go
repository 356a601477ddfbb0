package logline

import (
	"regexp"
	"slices"
	"strings"
)

// Filter says which lines are wanted. The zero Filter wants all. What a
// container left out (Line.Skipped) passes every filter of its service.
type Filter struct {
	Services []string
	// Level is the least severe level wanted. Lines without one count as Info.
	Level string
	// Text is in the text of the line, in any case of its letters.
	Text string
	// Regexp matches the text of the line.
	Regexp *regexp.Regexp
	// Fields are in the line, all of them.
	Fields []Field
}

// Wants tells whether a line passes. It is safe for concurrent use.
func (f *Filter) Wants(l *Line) bool {
	if !f.wantsService(l.Service) {
		return false
	}
	if l.Skipped > 0 {
		return true
	}
	if !AtLeast(l.Level, f.Level) {
		return false
	}
	for _, want := range f.Fields {
		if !slices.Contains(l.Fields, want) {
			return false
		}
	}
	if f.Text == "" && f.Regexp == nil {
		return true
	}
	text := l.Text()
	return (f.Text == "" || strings.Contains(strings.ToLower(text), strings.ToLower(f.Text))) &&
		(f.Regexp == nil || f.Regexp.MatchString(text))
}

func (f *Filter) wantsService(service string) bool {
	return len(f.Services) == 0 || slices.Contains(f.Services, service)
}
