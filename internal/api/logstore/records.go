package logstore

import (
	"context"
	"strings"
	"sync"
	"time"

	"zr/internal/api/logstore/redact"
	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

// quiet is how long after a line the next one of the same trace may come. Each
// line is held that long, unless another follows.
const quiet = 15 * time.Millisecond

// records makes records of lines.
type records struct {
	redactor *redact.Redactor
	emit     func(l *logline.Line, container Container, cursor follow.Cursor)
	kick     chan struct{} // tells run that something is held

	mu      sync.Mutex
	last    int64 // the newest id
	streams map[Container]*stream
	held    map[*stream]struct{}
}

// stream is one container: how far it was read, and the record that may go on.
type stream struct {
	container Container
	read      follow.Cursor // past every line that was taken
	joiner    logline.Joiner
	first     follow.Line
	lines     []string
	since     time.Time // when the last one of lines came
}

func newRecords(last int64, cursors map[Container]follow.Cursor, redactor *redact.Redactor,
	emit func(*logline.Line, Container, follow.Cursor)) *records {
	r := &records{redactor: redactor, emit: emit, kick: make(chan struct{}, 1), last: last, streams: map[Container]*stream{}, held: map[*stream]struct{}{}}
	for container, cursor := range cursors {
		r.streams[container] = &stream{container: container, read: cursor}
	}
	return r
}

// cursor is where reading a container goes on.
func (r *records) cursor(podUID, container string) follow.Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.streams[Container{podUID, container}]; s != nil {
		return s.read
	}
	return follow.Cursor{}
}

// take adds a line. What it ends is emitted.
func (r *records) take(l follow.Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := Container{l.PodUID, l.Container}
	s := r.streams[key]
	if s == nil {
		s = &stream{container: key}
		r.streams[key] = s
	}
	if !s.joiner.Joins(l.Time, l.Text) {
		r.end(s)
		s.first = l
	}
	s.lines = append(s.lines, l.Text)
	s.read.Add(l)
	s.since = time.Now()
	if len(r.held) == 0 {
		select {
		case r.kick <- struct{}{}:
		default:
		}
	}
	r.held[s] = struct{}{}
}

// end emits the record that a stream holds.
func (r *records) end(s *stream) {
	if len(s.lines) == 0 {
		return
	}
	raw := s.lines[0]
	if len(s.lines) > 1 {
		raw = strings.Join(s.lines, "\n")
	}
	l := &logline.Line{Time: s.first.Time, Service: s.first.Service, Pod: s.first.Pod, Container: s.first.Container, Record: logline.Parse(raw)}
	redacted(r.redactor, &l.Record)
	// In microseconds, so that a process that begins anew goes on above.
	r.last = max(r.last+1, time.Now().UnixMicro())
	l.ID = r.last
	s.lines = s.lines[:0]
	delete(r.held, s)
	r.emit(l, s.container, s.read)
}

// redacted takes the secrets out of a record.
func redacted(by *redact.Redactor, r *logline.Record) {
	if message := by.Text(r.Message); message != r.Message {
		r.Message, r.Styles = message, nil // their places are others now
	}
	for i, f := range r.Fields {
		r.Fields[i] = logline.Field{Key: by.Text(f.Key), Value: by.Text(f.Value)}
	}
}

// run ends records after which nothing comes. When ctx ends it drops them: no
// cursor is past them.
func (r *records) run(ctx context.Context) {
	tick := time.NewTicker(quiet / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.kick:
		}
		for r.endQuiet(time.Now()) {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
}

// endQuiet tells whether anything is still held.
func (r *records) endQuiet(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.held {
		if now.Sub(s.since) >= quiet {
			r.end(s)
			s.joiner.End()
		}
	}
	return len(r.held) > 0
}
