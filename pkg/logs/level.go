package logs

import (
	"regexp"
	"strings"
)

// The levels of a line. A line that does not say has none.
const (
	Debug   = "debug"
	Info    = "info"
	Warning = "warning"
	Error   = "error"
)

// rank orders the levels; a line without one ranks as Info.
func rank(level string) int {
	switch level {
	case Debug:
		return 0
	case Warning:
		return 2
	case Error:
		return 3
	}
	return 1
}

// AtLeast tells whether a level is as severe as min. No min takes all.
func AtLeast(level, min string) bool { return min == "" || rank(level) >= rank(min) }

// Parse finds the level of a line, and makes its text fit to be shown: of a
// JSON line the message and then the other fields as key=value (without time
// and level, which have their own place), of any line without control
// characters.
func Parse(line string) (level, text string) {
	line = printable(line)
	if level, text, ok := parseJSON(line); ok {
		return level, text
	}
	return levelOf(line), line
}

// named maps the words of the usual loggers to levels.
func named(word string) string {
	switch strings.ToLower(word) {
	case "trace", "debug", "verbose", "fine", "silly", "dbg", "trc", "debug1", "debug2", "debug3", "debug4", "debug5":
		return Debug
	case "info", "information", "informational", "notice", "log", "default", "inf":
		return Info
	case "warn", "warning", "wrn":
		return Warning
	case "error", "err", "severe", "critical", "crit", "fatal", "panic", "dpanic", "alert", "emerg", "emergency", "ftl", "pnc":
		return Error
	}
	// slog writes a level between two names as INFO+2.
	if i := strings.IndexAny(word, "+-"); i > 0 {
		return named(word[:i])
	}
	return ""
}

var (
	// klog: I0102 15:04:05.000000       1 server.go:10] text
	klogLine = regexp.MustCompile(`^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^ \]]+:\d+\]`)
	// PostgreSQL, with any log_line_prefix: LOG:  text (two spaces)
	postgresLine = regexp.MustCompile(`(?:^|[\] :])(DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC):  `)
	// Redis: 1:M 02 Jan 2006 15:04:05.000 * text
	redisLine = regexp.MustCompile(`^\d+:[XCSM] \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} ([.\-*#]) `)
	// logfmt: ... level=info ...
	logfmtLine = regexp.MustCompile(`(?:^|\s)(?:level|lvl|severity)="?([A-Za-z]+(?:[+-]\d+)?)"?(?:\s|$)`)
)

var klogLevels = map[string]string{"I": Info, "W": Warning, "E": Error, "F": Error}
var redisLevels = map[string]string{".": Debug, "-": Debug, "*": Info, "#": Warning}

// levelOf finds the level of a line that is not JSON.
func levelOf(line string) string {
	if m := klogLine.FindStringSubmatch(line); m != nil {
		return klogLevels[m[1]]
	}
	if m := redisLine.FindStringSubmatch(line); m != nil {
		return redisLevels[m[1]]
	}
	if m := logfmtLine.FindStringSubmatch(line); m != nil {
		if level := named(m[1]); level != "" {
			return level
		}
	}
	if m := postgresLine.FindStringSubmatch(line); m != nil {
		return named(m[1])
	}
	return prefixLevel(line)
}

// marks begin the lines of programs that name no level: the Go runtime, Node,
// Python and Next.js.
var marks = []struct{ prefix, level string }{
	{"panic: ", Error}, {"fatal error: ", Error}, {"Traceback (most recent call last)", Error},
	{"Uncaught ", Error}, {"⨯", Error}, {"⚠", Warning}, {"✓", Info}, {"○", Info}, {"▲", Info},
	{"npm error", Error}, {"npm ERR!", Error}, {"npm warn", Warning}, {"npm WARN", Warning},
}

// errorName is the first word of an uncaught JavaScript or Python exception.
var errorName = regexp.MustCompile(`^(?:[A-Z]\w*)?(?:Error|Exception)(?:\s\[\w+\])?: `)

// maxWords is how many words may stand before the level: a date, a time with
// its zone, a process id.
const maxWords = 5

// prefixLevel finds a level word at the beginning of a line, after what looks
// like a time or a number.
func prefixLevel(line string) string {
	line = strings.TrimSpace(line)
	for _, m := range marks {
		if strings.HasPrefix(line, m.prefix) {
			return m.level
		}
	}
	if errorName.MatchString(line) {
		return Error
	}
	rest := line
	for range maxWords {
		var word string
		word, rest, _ = strings.Cut(strings.TrimLeft(rest, " \t|-"), " ")
		if word == "" {
			return ""
		}
		bare := strings.Trim(word, "[]()<>:|")
		if first, _, ok := strings.Cut(bare, ":"); ok && named(first) != "" {
			bare = first // WARNING:root:text
		}
		// A word of prose is no level: it must be marked or shout.
		if level := named(bare); level != "" && (len(bare) != len(word) || bare == strings.ToUpper(bare)) {
			return level
		}
		if !strings.ContainsAny(word, "0123456789") && word != "UTC" && word != "GMT" {
			return ""
		}
	}
	return ""
}

// escape is a terminal's control sequence: colours (CSI), titles (OSC).
var escape = regexp.MustCompile("\x1b(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\-_])")

// printable removes what a terminal would obey rather than show.
func printable(line string) string {
	if strings.IndexFunc(line, isControl) < 0 {
		return strings.ToValidUTF8(line, "\uFFFD")
	}
	line = escape.ReplaceAllString(line, "")
	if i := strings.LastIndexByte(strings.TrimRight(line, "\r"), '\r'); i >= 0 {
		line = line[i+1:] // a progress bar: what a terminal would show in the end
	}
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, line), "\uFFFD")
}

// isControl includes the C1 controls, which some terminals obey.
func isControl(r rune) bool { return r < 0x20 && r != '\t' || r >= 0x7f && r < 0xa0 }
