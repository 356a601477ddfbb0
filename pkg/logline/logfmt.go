package logline

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// parseLogfmt reads a line of key=value pairs that name a message, and a level
// or a time.
func parseLogfmt(line string) (r Record, ok bool) {
	if !strings.Contains(line, "msg=") && !strings.Contains(line, "message=") {
		return r, false
	}
	fields, ok := splitFields(line)
	if !ok {
		return r, false
	}
	hasMessage, hasLevel, hasTime := false, false, false
	for _, f := range fields {
		key := strings.ToLower(f.Key)
		switch {
		case !hasMessage && (key == "msg" || key == "message"):
			r.Message, hasMessage = cleaned(f.Value), true
		case !hasLevel && slices.Contains(levelKeys, key):
			r.Level, hasLevel = named(f.Value), true
		case slices.Contains(timeKeys, key):
			hasTime = true
		default:
			r.Fields = append(r.Fields, Field{cleaned(f.Key), cleaned(f.Value)})
		}
	}
	if !hasMessage || !hasLevel && !hasTime {
		return Record{}, false
	}
	return r, true
}

// SplitFields reads what Record.Text wrote after the message.
func SplitFields(text string) []Field {
	fields, _ := splitFields(text)
	return fields
}

// splitFields is false where anything in the text is no pair.
func splitFields(text string) (fields []Field, ok bool) {
	for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
		var f Field
		if f.Key, text, ok = takeKey(text); !ok {
			return fields, false
		}
		if f.Value, text, ok = takeValue(text); !ok {
			return fields, false
		}
		fields = append(fields, f)
	}
	return fields, len(fields) > 0
}

// takeKey takes a key and the equals sign after it.
func takeKey(text string) (key, rest string, ok bool) {
	if text[0] == '"' {
		prefix, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", "", false
		}
		key, _ = strconv.Unquote(prefix)
		rest, ok = strings.CutPrefix(text[len(prefix):], "=")
		return key, rest, ok
	}
	key, rest, ok = strings.Cut(text, "=")
	return key, rest, ok && key != "" && !strings.ContainsAny(key, " \"\n\r\t")
}

// takeValue takes a value up to the space after it.
func takeValue(text string) (value, rest string, ok bool) {
	if text == "" {
		return "", "", true
	}
	switch text[0] {
	case '"':
		prefix, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", "", false
		}
		value, _ = strconv.Unquote(prefix)
		rest = text[len(prefix):]
		return value, rest, rest == "" || rest[0] == ' '
	case '{', '[':
		decoder := json.NewDecoder(strings.NewReader(text))
		var raw json.RawMessage
		if decoder.Decode(&raw) == nil {
			end := int(decoder.InputOffset())
			return text[:end], text[end:], end == len(text) || text[end] == ' '
		}
	}
	value, rest, _ = strings.Cut(text, " ")
	return value, rest, true
}
