package ui

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"zr/pkg/event"
)

// jsonPrinter writes one object per line: "time" (RFC 3339, of the log line
// itself where it is one), "type", and the fields of the event. Durations are
// in nanoseconds.
type jsonPrinter struct{ w io.Writer }

func (p *jsonPrinter) close() {}

func (p *jsonPrinter) show(batch []stamped) {
	var b bytes.Buffer
	for _, e := range batch {
		b.Write(encode(e.Event, e.at))
		b.WriteByte('\n')
	}
	_, _ = p.w.Write(b.Bytes()) // who does not read on has no use for the error
}

// encode puts an event into its envelope.
func encode(e event.Event, at time.Time) []byte {
	fields := any(e)
	if l, ok := e.(event.LogLine); ok {
		at = l.Time
		fields = struct { // an inner field hides the outer one of the same name
			event.LogLine
			Time *struct{} `json:"time,omitempty"`
		}{LogLine: l}
	}
	envelope, err := json.Marshal(struct {
		Time string `json:"time"`
		Type string `json:"type"`
	}{at.Format(time.RFC3339Nano), e.Type()})
	if err != nil {
		return nil // two strings always encode
	}
	body, err := json.Marshal(fields)
	if err != nil || len(body) <= len("{}") {
		return envelope
	}
	return append(append(envelope[:len(envelope)-1], ','), body[1:]...)
}
