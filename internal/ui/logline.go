package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"zr/pkg/event"
)

// nameColumn is the column of the names before log lines. It grows with the
// longest name so far.
type nameColumn struct {
	width int
	pods  map[string]map[string]bool // by service
}

// widest is where the column stops growing, so that text keeps its room.
const widest = 20

// name returns what to call the source of a line: the service, and the end of
// the pod's name where the service has several.
func (c *nameColumn) name(l event.LogLine) string {
	if c.pods == nil {
		c.pods = map[string]map[string]bool{}
	}
	if c.pods[l.Service] == nil {
		c.pods[l.Service] = map[string]bool{}
	}
	c.pods[l.Service][l.Pod] = true
	name := l.Service
	if len(c.pods[l.Service]) > 1 {
		name += "/" + l.Pod[strings.LastIndexByte(l.Pod, '-')+1:]
	}
	name = fit(name, widest)
	c.width = max(c.width, ansi.StringWidth(name), 8)
	return name
}

// letters stand for the levels, as they cost the least room.
var letters = map[string]string{"debug": "D", "info": "I", "warning": "W", "error": "E"}

func (v *voice) level(level string) string {
	letter := letters[level]
	switch level {
	case "error":
		return v.p.red(letter)
	case "warning":
		return v.p.yellow(letter)
	case "":
		return " "
	}
	return v.p.dim(letter)
}

// maxRows bounds how much of a screen one log line may take.
const maxRows = 8

// logLine writes a line, wrapped to a width below its own column. A width of
// 0 does not wrap.
func (v *voice) logLine(l event.LogLine, width int) []string {
	name := pad(v.names.name(l), v.names.width)
	head := v.p.service(l.Service, name) + " " + v.level(l.Level) + " "
	text := plainText(strings.ReplaceAll(l.Text, "\t", "    "))
	painted := func(text string) string { return text }
	switch l.Level {
	case "debug":
		painted = v.p.dim
	case "error":
		painted = v.p.red
	}
	room := width - v.names.width - 3
	if width == 0 || ansi.StringWidth(text) <= room {
		return []string{head + painted(text)}
	}
	if room < 20 { // a column so narrow helps nobody
		return []string{fit(head+painted(text), width)}
	}
	rows := strings.Split(ansi.Hardwrap(text, room, true), "\n")
	if len(rows) > maxRows {
		rows = rows[:maxRows]
		rows[maxRows-1] = fit(rows[maxRows-1], room-1) + "…"
	}
	for i := range rows {
		rows[i] = painted(rows[i]) // each by itself, since what follows the last one may not be part of it
		if i == 0 {
			rows[i] = head + rows[i]
		} else {
			rows[i] = strings.Repeat(" ", v.names.width+3) + rows[i]
		}
	}
	return rows
}
