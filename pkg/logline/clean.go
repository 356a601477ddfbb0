package logline

import (
	"regexp"
	"strings"
)

// escape is a terminal's control sequence: colours (CSI), titles (OSC).
var escape = regexp.MustCompile("\x1b(?:\\[([0-9;?]*)[ -/]*([@-~])|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\-_])")

// clean removes what a terminal would obey rather than show, and returns the
// changes of style that were among it, with their places in what is left. Line
// feeds stay. Of what a carriage return overwrites, such as a progress bar, what
// a terminal would show in the end is left.
func clean(raw string) (string, []Style) {
	switch {
	case isPlain(raw):
		return raw, nil
	case strings.IndexFunc(raw, isControl) < 0:
		return strings.ToValidUTF8(raw, "\uFFFD"), nil
	}
	var b strings.Builder
	var styles []Style
	for i, line := range strings.Split(raw, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		line = strings.TrimRight(line, "\r")
		if i := strings.LastIndexByte(line, '\r'); i >= 0 {
			line = line[i+1:]
		}
		last := 0
		for _, m := range escape.FindAllStringSubmatchIndex(line, -1) {
			b.WriteString(visible(line[last:m[0]]))
			last = m[1]
			if m[4] >= 0 && line[m[4]:m[5]] == "m" {
				styles = append(styles, Style{At: b.Len(), Code: line[m[2]:m[3]]})
			}
		}
		b.WriteString(visible(line[last:]))
	}
	return b.String(), styles
}

// isPlain tells that a text is nothing but visible ASCII, spaces and tabs, as most are.
func isPlain(raw string) bool {
	for i := range len(raw) {
		if c := raw[i]; c < ' ' && c != '\t' || c > '~' {
			return false
		}
	}
	return true
}

// cleaned is clean where styles have no place: in JSON.
func cleaned(raw string) string {
	text, _ := clean(raw)
	return text
}

func visible(text string) string {
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, text), "\uFFFD")
}

// isControl includes the C1 controls, which some terminals obey. Line feeds
// need the care of clean, since no raw line has any.
func isControl(r rune) bool { return r < 0x20 && r != '\t' || r >= 0x7f && r < 0xa0 }
