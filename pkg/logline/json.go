package logline

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// The fields in which loggers put level, message and time: slog, zap,
// zerolog, pino, bunyan, winston, logrus, ECS and Google Cloud.
var (
	levelKeys   = []string{"level", "severity", "lvl", "levelname", "log.level", "loglevel", "@l"}
	messageKeys = []string{"msg", "message", "@m", "event"} // by preference
	timeKeys    = []string{"time", "ts", "timestamp", "@timestamp", "t", "datetime", "@t"}
)

// jsonField is a field of an object. The value is as it stands there.
type jsonField struct{ key, value string }

// parseJSON reads a line that is one JSON object with a level or a message.
func parseJSON(line string) (r Record, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return r, false
	}
	fields, ok := fieldsOf(line)
	if !ok {
		return r, false
	}
	messageAt := messageField(fields)
	hasLevel := false
	for i, f := range fields {
		key := strings.ToLower(f.key)
		switch {
		case i == messageAt:
			r.Message = cleaned(stringOf(f.value))
		case !hasLevel && slices.Contains(levelKeys, key):
			r.Level, hasLevel = levelOfValue(f.value), true
		case slices.Contains(timeKeys, key):
		default:
			r.Fields = append(r.Fields, Field{cleaned(f.key), cleaned(compact(f.value))})
		}
	}
	return r, messageAt >= 0 || hasLevel
}

// fieldsOf returns the fields of an object in their order, and false where the text is
// not one object. It does what a json.Decoder would in a tenth of the time, since most
// values are short texts and numbers: every line of every container comes by here.
func fieldsOf(text string) ([]jsonField, bool) {
	rest := afterSpace(text[1:])
	if rest == "}" {
		return nil, true
	}
	fields := make([]jsonField, 0, 8)
	for {
		end := stringEnd(rest)
		if end < 0 {
			return nil, false
		}
		f := jsonField{key: stringOf(rest[:end])}
		rest = afterSpace(rest[end:])
		if rest == "" || rest[0] != ':' {
			return nil, false
		}
		rest = afterSpace(rest[1:])
		if end = valueEnd(rest); end < 0 {
			return nil, false
		}
		f.value, rest = rest[:end], afterSpace(rest[end:])
		fields = append(fields, f)
		switch {
		case rest == "}":
			return fields, true
		case rest == "" || rest[0] != ',':
			return nil, false
		}
		rest = afterSpace(rest[1:])
	}
}

func afterSpace(text string) string {
	if text == "" || text[0] > ' ' {
		return text // as nearly always
	}
	return strings.TrimLeft(text, " \t\r\n")
}

// stringEnd returns where the string ends that a text begins with, or -1.
func stringEnd(text string) int {
	if text == "" || text[0] != '"' {
		return -1
	}
	escaped := false
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			if escaped && !json.Valid([]byte(text[:i+1])) {
				return -1
			}
			return i + 1
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return -1
		}
	}
	return -1
}

// valueEnd returns where the value ends that a text begins with, or -1.
func valueEnd(text string) int {
	if text == "" {
		return -1
	}
	end := strings.IndexAny(text, ",} \t\r\n") // of a number or a word
	switch text[0] {
	case '"':
		return stringEnd(text)
	case '{', '[':
		end = nestedEnd(text)
	}
	if end < 0 || !json.Valid([]byte(text[:end])) {
		return -1
	}
	return end
}

// nestedEnd returns where an object or a list ends, or -1.
func nestedEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := stringEnd(text[i:])
			if end < 0 {
				return -1
			}
			i += end - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// messageField returns the index of the field with the message, or -1.
func messageField(fields []jsonField) int {
	for _, key := range messageKeys {
		if i := slices.IndexFunc(fields, func(f jsonField) bool { return strings.EqualFold(f.key, key) && isString(f.value) }); i >= 0 {
			return i
		}
	}
	return -1
}

func isString(v string) bool { return v != "" && v[0] == '"' }

// stringOf returns the text of a string.
func stringOf(v string) string {
	if !strings.Contains(v, `\`) {
		return v[1 : len(v)-1]
	}
	var s string
	if json.Unmarshal([]byte(v), &s) != nil {
		return v
	}
	return s
}

// levelOfValue reads a level by name, or by pino's and bunyan's number: 10
// trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
func levelOfValue(v string) string {
	if isString(v) {
		if v = stringOf(v); named(v) != "" {
			return named(v)
		}
	}
	n, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil || n < 10:
		return ""
	case n < 30:
		return Debug
	case n < 40:
		return Info
	case n < 50:
		return Warning
	}
	return Error
}

// compact returns the text of a string, and of anything else its JSON.
func compact(v string) string {
	if isString(v) {
		return stringOf(v)
	}
	if v[0] != '{' && v[0] != '[' {
		return v
	}
	var b bytes.Buffer
	if json.Compact(&b, []byte(v)) != nil {
		return v
	}
	return b.String()
}
