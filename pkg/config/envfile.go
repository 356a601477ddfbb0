package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

var (
	secretKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	reference = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
)

// envFile reads KEY=value lines as the tools do that people write them for: the dotenv
// libraries and Compose. A "#" at the beginning of a line, or behind a blank, starts a
// comment. "export " may stand in front. A value may be in quotes and then go over
// several lines. Within '…' everything is as it stands; elsewhere ${KEY} is the value
// of an earlier key, and within "…" a backslash makes \n, \r and \t, and takes the
// meaning of \, " and $ away.
type envFile struct {
	name     string
	values   map[string]string
	problems Problems
}

// parseEnv reads such a file. Problems never show a value.
func parseEnv(data []byte, name string) (map[string]string, Problems) {
	e := &envFile{name: name, values: map[string]string{}}
	lines := strings.Split(string(bytes.TrimPrefix(data, []byte("\ufeff"))), "\n")
	for i := 0; i < len(lines); {
		i += e.entry(i+1, lines[i:])
	}
	return e.values, e.problems
}

func (e *envFile) add(line, column int, text, hint string) {
	e.problems = append(e.problems, Problem{File: e.name, Line: line, Column: column, Text: text, Hint: hint})
}

// entry reads what begins on the first of the lines, which has the number at,
// and returns how many of them that takes.
func (e *envFile) entry(at int, lines []string) int {
	line := strings.TrimRight(lines[0], "\r")
	if trimmed := strings.TrimSpace(line); trimmed == "" || strings.HasPrefix(trimmed, "#") {
		return 1
	}
	key, value, ok := strings.Cut(line, "=")
	column := len(key) + 2 // of the value
	key = strings.TrimPrefix(key, "export ")
	switch _, twice := e.values[key]; {
	case !ok:
		e.add(at, 1, "not a KEY=value line", "")
		return 1
	case !secretKey.MatchString(key):
		e.add(at, 1, fmt.Sprintf("%q cannot be a key", key), "letters, digits and '_', no spaces around '='")
		return 1
	case twice:
		e.add(at, 1, fmt.Sprintf("key %q is there already", key), "")
		return 1
	}
	if value == "" || value[0] != '\'' && value[0] != '"' {
		e.values[key] = e.expand(at, column, uncommented(value), false)
		return 1
	}
	quote := value[:1]
	for n := 1; n <= len(lines); n++ {
		text := value[1:]
		if n > 1 {
			text += "\n" + strings.Join(trimReturns(lines[1:n]), "\n")
		}
		end := closing(text, quote[0])
		if end < 0 {
			continue
		}
		if rest := text[end+1:]; strings.TrimSpace(uncommented(rest)) != "" {
			e.add(at+n-1, 1, fmt.Sprintf("something stands behind the closing %s of %q", quote, key), "put a blank before a comment, and a \\ before a \" that belongs to the value")
		}
		if e.values[key] = text[:end]; quote == `"` {
			e.values[key] = e.expand(at, column+1, text[:end], true)
		}
		return n
	}
	e.values[key] = "" // so that references to it are no second problem
	e.add(at, column, fmt.Sprintf("the %s of %q is never closed", quote, key), "a value that begins with a quote ends with one")
	return 1
}

func trimReturns(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = strings.TrimRight(line, "\r")
	}
	return out
}

// uncommented drops a comment and the blanks around what is left.
func uncommented(value string) string {
	for i := range len(value) {
		if value[i] == '#' && i > 0 && (value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
			break
		}
	}
	return strings.TrimSpace(value)
}

// closing is where a quoted text ends, or -1.
func closing(text string, quote byte) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return i
		case text[i] == '\\' && quote == '"':
			i++
		}
	}
	return -1
}

// escaped are the letters that mean something behind a backslash within "…".
var escaped = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", '\\': `\`, '"': `"`, '$': "$"}

// expand puts the values of earlier keys in, and reads what is escaped.
func (e *envFile) expand(line, column int, value string, escapes bool) string {
	var b strings.Builder
	for i := 0; i < len(value); {
		if escapes && value[i] == '\\' && i+1 < len(value) {
			if meant, ok := escaped[value[i+1]]; ok {
				b.WriteString(meant)
				i += 2
				continue
			}
		}
		var ref []string
		if value[i] == '$' {
			ref = reference.FindStringSubmatch(value[i:])
		}
		if ref == nil {
			b.WriteByte(value[i])
			i++
			continue
		}
		known, ok := e.values[ref[1]]
		if !ok {
			line, column := line, column+i
			if before := strings.Count(value[:i], "\n"); before > 0 {
				line, column = line+before, i-strings.LastIndex(value[:i], "\n")
			}
			e.add(line, column, fmt.Sprintf("%s is not set above this line", ref[0]), Suggest("", ref[1], sortedKeys(e.values)))
		}
		b.WriteString(known)
		i += len(ref[0])
	}
	return b.String()
}
