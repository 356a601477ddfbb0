// Package dev is what the api knows of the runs of zr on an environment: who is
// attached and what he does now, what happened, and the way to ask an attached
// `zr dev` for something.
//
// To add an action, give zr/pkg/devattach a constant with the types of its argument and
// its result, and internal/stack/devactions.go the function that does it. A route then
// calls Hub.Ask, and answers with Problem where that fails.
package dev

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"zr/pkg/devattach"
)

// The reasons for which nobody was asked.
var (
	ErrNotAttached = errors.New("no zr dev is attached to this environment: start one in the project's folder")
	errNotKnown    = fmt.Errorf("%w; redis is away, so that one which is attached to another replica of the api is not known", ErrNotAttached)
	ErrGone        = errors.New("the zr dev that was asked has gone before it answered: whether it was done, its events tell")
)

// Attached is a run of zr that is there now.
type Attached struct {
	Run     string             `json:"run" doc:"Names the run in its events."`
	Verb    string             `json:"verb" enum:"up,dev"`
	User    string             `json:"user" doc:"Who logged in to the api for it."`
	Machine string             `json:"machine" doc:"The name of the machine that it runs on, as that says."`
	Folder  string             `json:"folder,omitempty" doc:"The folder of the project on that machine."`
	Process int                `json:"process"`
	Since   time.Time          `json:"since" doc:"When the run began."`
	Actions []devattach.Action `json:"actions" doc:"What it can be asked for."`
	Now     []Doing            `json:"now" doc:"What it does now, sorted by what it is done to; empty while it waits for a save."`
}

// Hub knows who is attached, also to other replicas while Run runs and they are heard. It
// is safe for concurrent use.
type Hub struct {
	name     string // of this replica
	replicas Replicas
	log      *slog.Logger
	news     chan struct{} // holds a value where the others do not know of something yet

	mu        sync.Mutex
	channels  []*Channel // the oldest first
	changed   chan struct{}
	stored    []string // environments of which events were stored since the last message
	selfHeard time.Time
	peers     map[string]*peer
	last      int64 // the id of the newest question
	questions map[int64]*asked
}

// NewHub returns a Hub to which nobody is attached.
func NewHub(replicas Replicas, log *slog.Logger) *Hub {
	return &Hub{name: rand.Text(), replicas: replicas, log: log, news: make(chan struct{}, 1), changed: make(chan struct{}), peers: map[string]*peer{}, questions: map[int64]*asked{}}
}

// Channel is one connection of a run.
type Channel struct {
	hub         *Hub
	environment string
	self        Attached
	came        time.Time
	send        func(devattach.Order) error
	gone        chan struct{}

	// Of the hub's mutex.
	doing   map[string]Doing
	last    int64 // the id of the newest request
	waiting map[int64]chan devattach.Answer
}

// Attach takes a run that has come to an environment, and is told by send what is
// asked of it. A connection of the same run from before is replaced, also one to another
// replica.
func (h *Hub) Attach(environment string, self Attached, send func(devattach.Order) error) *Channel {
	c := &Channel{hub: h, environment: environment, self: self, came: time.Now().UTC(), send: send, gone: make(chan struct{}), doing: map[string]Doing{}, waiting: map[int64]chan devattach.Answer{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, before := range slices.Backward(h.everywhere(environment)) {
		if before.Run.Run == self.Run {
			c.doing = doingOf(before.Run.Now)
		}
	}
	h.channels = append(h.channels, c)
	h.tellAll()
	return c
}

// Detach ends it.
func (c *Channel) Detach() {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.hub.channels = slices.DeleteFunc(c.hub.channels, func(other *Channel) bool { return other == c })
	close(c.gone)
	c.hub.tellAll()
}

// tell wakes who waits for a change of who is attached. The mutex is held.
func (h *Hub) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// tellAll tells it to the other replicas, too. The mutex is held.
func (h *Hub) tellAll() {
	h.tell()
	h.wakeAnnouncer()
}

func (h *Hub) wakeAnnouncer() {
	select {
	case h.news <- struct{}{}:
	default:
	}
}

// Attached returns the runs that are there now, the newest first, and a channel that
// is closed when that changes. Complete is false while it is not known who is attached
// to other replicas.
func (h *Hub) Attached(environment string) (all []Attached, complete bool, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all = []Attached{}
	for _, s := range h.everywhere(environment) {
		if !slices.ContainsFunc(all, func(a Attached) bool { return a.Run == s.Run.Run }) {
			all = append(all, s.Run)
		}
	}
	return all, !h.selfHeard.IsZero(), h.changed
}

// CanAsk returns nil where Ask would ask a `zr dev`, and otherwise the error of that.
func (h *Hub) CanAsk(environment string, action devattach.Action) error {
	_, err := h.able(environment, action)
	return err
}

// Ask has the newest `zr dev` of an environment do an action, and decodes what it
// answers into result. The error is ErrNotAttached, ErrGone, a *devattach.Failure, or
// that of ctx, with which the asking ends and not what was asked for.
func (h *Hub) Ask(ctx context.Context, environment string, action devattach.Action, argument, result any) error {
	s, err := h.able(environment, action)
	if err != nil {
		return err
	}
	r := devattach.Request{Action: action}
	if r.Argument, err = json.Marshal(argument); err != nil {
		return fmt.Errorf("asking for %q: %w", action, err)
	}
	var a devattach.Answer
	if s.at != "" {
		a, err = h.askThere(ctx, s.at, environment, s.Run.Run, r)
	} else if c := h.newest(environment, s.Run.Run); c != nil {
		a, err = c.ask(ctx, r)
	} else {
		err = ErrGone
	}
	if err != nil {
		return err
	}
	if a.Failed != nil {
		return a.Failed
	}
	return json.Unmarshal(a.Result, result)
}

// ask has a run that is attached here do something, and returns what it answers, ErrGone,
// or the error of ctx.
func (c *Channel) ask(ctx context.Context, r devattach.Request) (devattach.Answer, error) {
	h, answered := c.hub, make(chan devattach.Answer, 1)
	h.mu.Lock()
	c.last++
	r.ID = c.last
	c.waiting[r.ID] = answered
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(c.waiting, r.ID)
		h.mu.Unlock()
	}()
	if c.send(devattach.Order{Request: &r}) != nil {
		return devattach.Answer{}, ErrGone
	}
	select {
	case <-ctx.Done():
		return devattach.Answer{}, ctx.Err()
	case <-c.gone:
		return devattach.Answer{}, ErrGone
	case a := <-answered:
		return a, nil
	}
}

// newest is the newest connection of a run that is attached here, or nil.
func (h *Hub) newest(environment, run string) *Channel {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range slices.Backward(h.channels) {
		if c.environment == environment && c.self.Run == run {
			return c
		}
	}
	return nil
}

// able returns the newest `zr dev` that knows an action.
func (h *Hub) able(environment string, action devattach.Action) (somewhere, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := ErrNotAttached
	if h.selfHeard.IsZero() {
		err = errNotKnown
	}
	for _, s := range h.everywhere(environment) {
		if s.Run.Verb != devattach.Dev {
			continue
		}
		if slices.Contains(s.Run.Actions, action) {
			return s, nil
		}
		err = &devattach.Failure{Code: devattach.Conflict, Text: fmt.Sprintf("the attached zr dev is of a version that cannot %s", action)}
	}
	return somewhere{}, err
}

// Answered takes what came of a request.
func (c *Channel) Answered(a devattach.Answer) {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	if answered := c.waiting[a.ID]; answered != nil {
		answered <- a
		delete(c.waiting, a.ID)
	}
}
