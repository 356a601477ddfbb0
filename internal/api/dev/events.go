package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"zr/internal/api/logstore/redact"
	"zr/pkg/devattach"
)

// RunEvent is something that a run of zr told.
type RunEvent struct {
	ID      int64           `json:"id" doc:"Orders the events by when they were stored; where a live view goes on."`
	Run     string          `json:"run" doc:"Names the run."`
	Verb    string          `json:"verb" enum:"up,dev"`
	User    string          `json:"user"`
	Machine string          `json:"machine"`
	Folder  string          `json:"folder,omitempty" doc:"The folder of the project on that machine, to which paths are relative."`
	At      time.Time       `json:"at" doc:"When it happened, by the clock of that machine."`
	Type    string          `json:"type" doc:"Such as reload, problem or step.done: what zr up -o json prints."`
	Service string          `json:"service,omitempty" doc:"That it is about."`
	Data    json.RawMessage `json:"data" doc:"The fields of an event of that type. Durations are in nanoseconds."`
	Places  []Place         `json:"places,omitempty" doc:"The lines of the project that a problem or a failed reload names, in their order."`
}

// Place is a line of a file of the project.
type Place struct {
	File    string `json:"file" doc:"Relative to the project, as the compiler says it."`
	Line    int    `json:"line"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message,omitempty"`
}

// EventFilter chooses events of an environment; an empty field chooses all.
type EventFilter struct {
	Environment, Run, Service string
	Types                     []string
	Failed                    bool // only those that have an error
}

// Store is where events are. *postgres.Store is one.
type Store interface {
	AddRunEvents(ctx context.Context, environment string, events []NewEvent) error
	// RunEvents returns the newest events that a filter chooses, newest first; where
	// before is not 0, only those whose ids are below it.
	RunEvents(ctx context.Context, f EventFilter, before int64, limit int) ([]RunEvent, error)
	// RunEventsAfter returns the first events with ids above one, the oldest first.
	RunEventsAfter(ctx context.Context, environment string, after int64, limit int) ([]RunEvent, error)
	// Delivery returns the metrics of a time.
	Delivery(ctx context.Context, environment string, from, to time.Time, step time.Duration) (Delivery, error)
}

// NewEvent is a RunEvent that is not stored yet. Seq numbers those of its run.
type NewEvent struct {
	RunEvent
	Seq int64
}

// Recorder stores what runs tell. It is safe for concurrent use.
type Recorder struct {
	store    Store
	redactor *redact.Redactor
}

// NewRecorder returns a Recorder of events without the secrets that redactor knows.
func NewRecorder(store Store, redactor *redact.Redactor) *Recorder {
	return &Recorder{store, redactor}
}

// Record stores events that a run told. What is no event of zr's is left out.
func (r *Recorder) Record(ctx context.Context, c *Channel, told []devattach.Event) error {
	now := time.Now().UTC()
	var events []NewEvent
	for _, e := range told {
		fields, ok := r.fields(e.Data)
		if !ok || e.Type == "" || len(e.Type) > 64 || e.Seq <= 0 {
			continue
		}
		if e.At.After(now) { // by another clock
			e.At = now
		}
		data, err := json.Marshal(fields)
		if err != nil {
			continue
		}
		events = append(events, NewEvent{Seq: e.Seq, RunEvent: RunEvent{
			Run: c.self.Run, Verb: c.self.Verb, User: c.self.User, Machine: c.self.Machine, Folder: c.self.Folder,
			At: e.At.UTC(), Type: e.Type, Service: aboutOf(fields), Data: data,
		}})
	}
	if len(events) > 0 {
		if err := r.store.AddRunEvents(ctx, c.environment, events); err != nil {
			return err
		}
	}
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	if !slices.Contains(c.hub.stored, c.environment) {
		c.hub.stored = append(c.hub.stored, c.environment)
	}
	c.hub.tellAll()
	return nil
}

// aboutOf is the service that an event is about.
func aboutOf(fields map[string]any) string {
	for _, name := range []string{"service", "source"} {
		if text, ok := fields[name].(string); ok && len(text) <= 253 {
			return text
		}
	}
	return ""
}

// fields reads those of an event, without secrets and without what PostgreSQL cannot
// hold.
func (r *Recorder) fields(data json.RawMessage) (map[string]any, bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var fields map[string]any
	if d.Decode(&fields) != nil || fields == nil {
		return nil, false
	}
	return r.clean(fields).(map[string]any), true
}

func (r *Recorder) clean(value any) any {
	switch v := value.(type) {
	case string:
		return r.redactor.Text(strings.ReplaceAll(v, "\x00", ""))
	case []any:
		for i := range v {
			v[i] = r.clean(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, field := range v {
			clean[strings.ReplaceAll(name, "\x00", "")] = r.clean(field)
		}
		return clean
	}
	return value
}

// maxPlaces is how many places an event has: nobody reads more errors than that.
const maxPlaces = 50

// place is what compilers and linters say: path:line:column: message, path:line:
// message, or path(line,column): message, at the beginning of a line or after what
// failed.
var place = regexp.MustCompile(`(?m)(?:^[\s>]*|: )((?:\./|\.\./)*[\w@+-][\w./@+\[\]-]*\.[A-Za-z]\w*)(?::(\d+)(?::(\d+))?|\((\d+),(\d+)\)):?[ \t]*(.*)$`)

// Locate fills in the places that an event names.
func (e *RunEvent) Locate() {
	var of struct {
		Error string
		Text  string
	}
	if e.Type != "problem" && e.Type != "reload" || json.Unmarshal(e.Data, &of) != nil {
		return
	}
	for _, m := range place.FindAllStringSubmatch(of.Error+of.Text, maxPlaces) {
		line, _ := strconv.Atoi(m[2] + m[4])
		column, _ := strconv.Atoi(m[3] + m[5])
		e.Places = append(e.Places, Place{File: strings.TrimPrefix(m[1], "./"), Line: line, Column: column, Message: strings.TrimSpace(m[6])})
	}
}
