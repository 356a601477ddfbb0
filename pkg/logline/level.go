package logline

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

// Levels are all that a line can name, from the least severe on.
func Levels() []string { return []string{Debug, Info, Warning, Error} }

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
	// logfmt without a message, or with other text around it: ... level=info ...
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
	// What may stand anywhere in a line is looked for first: a match goes through all
	// of it, and takes many times longer.
	if strings.Contains(line, "level=") || strings.Contains(line, "lvl=") || strings.Contains(line, "severity=") {
		if m := logfmtLine.FindStringSubmatch(line); m != nil {
			if level := named(m[1]); level != "" {
				return level
			}
		}
	}
	if strings.Contains(line, ":  ") {
		if m := postgresLine.FindStringSubmatch(line); m != nil {
			return named(m[1])
		}
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
