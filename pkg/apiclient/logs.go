package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"zr/pkg/event"
)

// LogQuery says which lines of the history are wanted; an empty field chooses all.
type LogQuery struct {
	Environment string // its namespace
	Services    []string
	Level       string // the least severe one
	Regexp      string // matches the message, then the fields as key=value
	From        time.Time
}

// Logs passes the lines of the history that a query finds to emit, the oldest first. The
// error is a *Refused where the api answers with a problem.
func (s *Session) Logs(ctx context.Context, q LogQuery, emit func(event.LogLine)) error {
	values := url.Values{"format": {"ndjson"}, "environment": {q.Environment}, "service": q.Services}
	for name, value := range map[string]string{"level": q.Level, "regexp": q.Regexp} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if !q.From.IsZero() {
		values.Set("from", q.From.UTC().Format(time.RFC3339))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL("/api/v1/logs/export", values), nil)
	if err != nil {
		return err
	}
	req.Header = s.Header()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status says enough
		return refused(resp.StatusCode, answer)
	}
	for d := json.NewDecoder(resp.Body); ; {
		var l struct {
			event.LogLine
			Message string            `json:"message"`
			Fields  map[string]string `json:"fields"`
			Skipped int               `json:"skipped"`
		}
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading the history of the logs: %w", err)
		}
		l.Text = l.Message
		for _, key := range slices.Sorted(maps.Keys(l.Fields)) {
			l.Text += " " + key + "=" + l.Fields[key]
		}
		if l.Skipped > 0 {
			l.Text = fmt.Sprintf("[skipped %d]", l.Skipped)
		}
		l.Text = strings.TrimSpace(l.Text)
		emit(l.LogLine)
	}
}
