// Package logline makes records of the lines that containers write: a level, a
// message and fields, from JSON, logfmt or plain text. It joins traces of
// several lines, filters records, and hands them to any number of readers from
// bounded memory. Terminal and api use it alike.
package logline

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Field is a named value of a record, as text: a value that was no string
// keeps the form that it has in JSON.
type Field struct{ Key, Value string }

// Record is what a line says.
type Record struct {
	// Level is Debug, Info, Warning, Error, or empty where the line does not say.
	Level string
	// Message is fit to be shown: valid UTF-8 without control characters, but
	// for tabs and, between the lines of a trace, line feeds. It is empty where
	// a record has fields only.
	Message string
	// Fields are in the order of the line, without level, message and time.
	Fields []Field
	// Styles are the colours and weights of a plain line, in the order of their
	// places.
	Styles []Style
}

// Style is a change of how a terminal writes (SGR).
type Style struct {
	At   int    // the byte of the message before which it takes effect
	Code string // the parameters, such as "1;31"; empty resets
}

// Line is a record and where it comes from.
type Line struct {
	// ID orders the lines of an environment by their arrival.
	ID int64
	// Time is when the container runtime read the line.
	Time                    time.Time
	Service, Pod, Container string
	Record
	// Skipped is how many lines are missing here; such a Line has no record.
	Skipped int
}

// Parse reads one line, or the lines of one trace.
func Parse(raw string) Record {
	text, styles := clean(raw)
	if r, ok := parseJSON(text); ok {
		return r
	}
	if r, ok := parseLogfmt(text); ok {
		return r
	}
	first, _, _ := strings.Cut(text, "\n")
	return Record{Level: levelOf(first), Message: text, Styles: styles}
}

// Text is the record as one text: the message, then the fields as key=value.
func (r *Record) Text() string {
	if len(r.Fields) == 0 {
		return r.Message
	}
	var b strings.Builder
	b.WriteString(r.Message)
	for _, f := range r.Fields {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f.String())
	}
	return b.String()
}

// String writes key=value. What SplitFields could not tell apart is quoted.
func (f Field) String() string { return quoteKey(f.Key) + "=" + quoted(f.Value) }

func quoteKey(key string) string {
	if key == "" || key[0] == '"' || strings.ContainsAny(key, " =\n\r\t") {
		return strconv.Quote(key)
	}
	return key
}

func quoted(value string) string {
	switch {
	case value == "":
		return `""`
	case value[0] == '{' || value[0] == '[':
		if json.Valid([]byte(value)) && !strings.Contains(value, "\n") {
			return value
		}
		return strconv.Quote(value)
	case strings.ContainsAny(value, " =\"\n\r\t"):
		return strconv.Quote(value)
	}
	return value
}
