// Package dev is what the api knows of the runs of zr on an environment: who is
// attached and what he does now, what happened, and the way to ask an attached
// `zr dev` for something.
//
// To add an action, give zr/pkg/devattach a constant with the types of its argument and
// its result, and internal/stack/devactions.go the function that does it. A route then
// calls Hub.Ask, and answers with Problem where that fails.
package dev

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"zr/pkg/devattach"
)

// The reasons for which nobody was asked.
var (
	ErrNotAttached = errors.New("no zr dev is attached to this environment: start one in the project's folder")
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

// Hub knows who is attached. It is safe for concurrent use.
type Hub struct {
	mu       sync.Mutex
	channels []*Channel // the oldest first
	changed  chan struct{}
}

// NewHub returns a Hub to which nobody is attached.
func NewHub() *Hub { return &Hub{changed: make(chan struct{})} }

// Channel is one connection of a run.
type Channel struct {
	hub         *Hub
	environment string
	self        Attached
	send        func(devattach.Order) error
	gone        chan struct{}

	// Of the hub's mutex.
	doing   map[string]Doing
	last    int64 // the id of the newest request
	waiting map[int64]chan devattach.Answer
}

// Attach takes a run that has come to an environment, and is told by send what is
// asked of it. A connection of the same run from before is replaced.
func (h *Hub) Attach(environment string, self Attached, send func(devattach.Order) error) *Channel {
	c := &Channel{hub: h, environment: environment, self: self, send: send, gone: make(chan struct{}), doing: map[string]Doing{}, waiting: map[int64]chan devattach.Answer{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, before := range h.channels {
		if before.self.Run == self.Run {
			c.doing = before.doing
		}
	}
	h.channels = append(h.channels, c)
	h.tell()
	return c
}

// Detach ends it.
func (c *Channel) Detach() {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.hub.channels = slices.DeleteFunc(c.hub.channels, func(other *Channel) bool { return other == c })
	close(c.gone)
	c.hub.tell()
}

// tell wakes who waits for a change of who is attached. The mutex is held.
func (h *Hub) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// Attached returns the runs that are there now, the newest first, and a channel that
// is closed when that changes.
func (h *Hub) Attached(environment string) ([]Attached, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []Attached{}
	for _, c := range slices.Backward(h.channels) {
		if c.environment != environment || slices.ContainsFunc(all, func(a Attached) bool { return a.Run == c.self.Run }) {
			continue
		}
		one := c.self
		one.Now = []Doing{}
		for _, d := range c.doing {
			one.Now = append(one.Now, d)
		}
		slices.SortFunc(one.Now, func(a, b Doing) int { return cmp.Compare(a.What, b.What) })
		all = append(all, one)
	}
	return all, h.changed
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
	c, err := h.able(environment, action)
	if err != nil {
		return err
	}
	r := devattach.Request{Action: action}
	if r.Argument, err = json.Marshal(argument); err != nil {
		return fmt.Errorf("asking for %q: %w", action, err)
	}
	answered := make(chan devattach.Answer, 1)
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
		return ErrGone
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.gone:
		return ErrGone
	case a := <-answered:
		if a.Failed != nil {
			return a.Failed
		}
		return json.Unmarshal(a.Result, result)
	}
}

// able returns the newest `zr dev` that knows an action.
func (h *Hub) able(environment string, action devattach.Action) (*Channel, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := ErrNotAttached
	for _, c := range slices.Backward(h.channels) {
		if c.environment != environment || c.self.Verb != devattach.Dev {
			continue
		}
		if slices.Contains(c.self.Actions, action) {
			return c, nil
		}
		err = &devattach.Failure{Code: devattach.Conflict, Text: fmt.Sprintf("the attached zr dev is of a version that cannot %s", action)}
	}
	return nil, err
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
