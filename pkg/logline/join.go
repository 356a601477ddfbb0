package logline

import (
	"regexp"
	"strings"
	"time"
)

// The bounds of what is joined.
const (
	// joinWithin is how long after a line the next one of the same trace comes:
	// a program writes a trace at once, and the container runtime reads it in
	// pieces.
	joinWithin = 500 * time.Millisecond
	// maxJoined bounds a record, in bytes. A Go program with thousands of
	// goroutines dies with megabytes of stacks; the first ones say why.
	maxJoined = 64 << 10
)

// trace is the kind of trace that a joiner is in.
type trace int

const (
	plainTrace  trace = iota // nothing but indented lines belong to it
	goTrace                  // a panic and the stacks of goroutines
	pythonTrace              // up to the exception
	pythonEnd                // after the exception, which may have caused another
)

// Joiner tells which lines of a container go on with the record before. The
// zero Joiner is ready; it is not safe for concurrent use.
type Joiner struct {
	open   bool
	kind   trace
	at     time.Time
	bytes  int
	joined bool // the record has more than one line
}

var (
	// A frame of Java, JavaScript or .NET; what caused an exception of Java.
	frame = regexp.MustCompile(`^(?:\s+at |Caused by: |\s+\.\.\. \d+ (?:more|common)|\s+Suppressed: )`)
	// A function of a Go stack, with its arguments.
	goFrame = regexp.MustCompile(`^[\w./*()\[\]{}·…%~$@-]+\(.*\)$`)
	// What ends an object that was printed over several lines.
	closing   = regexp.MustCompile(`^[\])}]+[;,]?$`)
	goStart   = regexp.MustCompile(`^(?:panic: |fatal error: |goroutine \d+ |runtime: |SIG[A-Z]+: |unexpected fault address )`)
	goRest    = regexp.MustCompile(`^(?:$|\t|goroutine |\[signal |created by |\.\.\.additional frames|exit status |[a-z]\w* +0x|PC=|rip )`)
	pyStart   = regexp.MustCompile(`^Traceback \(most recent call last\):`)
	pyBetween = regexp.MustCompile(`^(?:$|During handling of the above exception|The above exception was the direct cause|Traceback \(most recent call last\):)`)
)

// Joins tells whether a raw line belongs to the record of the lines before, and
// otherwise begins a new one with it.
func (j *Joiner) Joins(at time.Time, raw string) bool {
	line, _ := clean(raw)
	if j.open && at.Sub(j.at) <= joinWithin && j.bytes+len(raw) < maxJoined && j.belongs(line) {
		j.at, j.joined = at, true
		j.bytes += len(raw) + 1
		return true
	}
	*j = Joiner{open: true, kind: kindOf(line), at: at, bytes: len(raw)}
	return false
}

// End ends the record: the next line begins a new one.
func (j *Joiner) End() { j.open = false }

func kindOf(line string) trace {
	switch {
	case isObject(line):
	case goStart.MatchString(line):
		return goTrace
	case pyStart.MatchString(line):
		return pythonTrace
	}
	return plainTrace
}

func (j *Joiner) belongs(line string) bool {
	switch j.kind {
	case goTrace:
		return goRest.MatchString(line) || goStart.MatchString(line) || goFrame.MatchString(line)
	case pythonTrace:
		if !indented(line) {
			j.kind = pythonEnd // the exception itself
		}
		return true
	case pythonEnd:
		if pyStart.MatchString(line) {
			j.kind = pythonTrace
		}
		return pyBetween.MatchString(line)
	}
	if isObject(line) {
		return false
	}
	if frame.MatchString(line) || j.joined && closing.MatchString(line) {
		return true
	}
	if kind := kindOf(line); kind != plainTrace {
		// A logger's own line often comes before the trace that it is about.
		return false
	}
	return indented(line) && levelOf(line) == ""
}

// isObject tells that a line begins as one in JSON does, which no line of a trace does
// but by its text.
func isObject(line string) bool { return strings.HasPrefix(line, `{"`) }

// indented leaves out a single space, with which Next.js and others begin lines
// of their own.
func indented(line string) bool {
	return strings.TrimSpace(line) != "" && (line[0] == '\t' || strings.HasPrefix(line, "  "))
}
