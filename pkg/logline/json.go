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

type jsonField struct {
	key   string
	value json.RawMessage
}

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

// fieldsOf returns the fields of an object in their order.
func fieldsOf(line string) ([]jsonField, bool) {
	d := json.NewDecoder(strings.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var fields []jsonField
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, false
		}
		fields = append(fields, jsonField{key.(string), value}) // the keys of an object are strings
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	return fields, true
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

func isString(v json.RawMessage) bool { return len(v) > 0 && v[0] == '"' }

func stringOf(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) != nil {
		return string(v)
	}
	return s
}

// levelOfValue reads a level by name, or by pino's and bunyan's number: 10
// trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
func levelOfValue(v json.RawMessage) string {
	if isString(v) {
		s := stringOf(v)
		if level := named(s); level != "" {
			return level
		}
		v = json.RawMessage(s)
	}
	n, err := strconv.ParseFloat(string(v), 64)
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
func compact(v json.RawMessage) string {
	if isString(v) {
		return stringOf(v)
	}
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return string(v)
	}
	return b.String()
}
