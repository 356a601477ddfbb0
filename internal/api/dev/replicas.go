package dev

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"zr/pkg/devattach"
)

// Replicas carries messages between the replicas of the api. cache.Cache is one.
type Replicas interface {
	Publish(ctx context.Context, channel string, message []byte) (int, error)
	Follow(ctx context.Context, channel string, told func(message []byte)) error
}

// channel is where every replica tells the others what they cannot know.
const channel = "dev"

const (
	// tellEvery is how often a replica says that it is there, and tellSoon how often
	// while it does not hear itself. One that was not heard for goneAfter is gone.
	tellEvery = 2 * time.Second
	tellSoon  = 200 * time.Millisecond
	goneAfter = 3 * tellEvery
	// tellWithin bounds one message.
	tellWithin = time.Second
)

// message is what a replica tells the others. Each message has who is attached to it.
type message struct {
	From     string // names the replica
	Asks     bool   // it wants to know who is attached to the others
	Leaves   bool   // it ends
	Present  []present
	Stored   []string  // environments of which events were stored
	Question *question // for one replica
	Reply    *reply    // for one replica
}

// present is a run that is attached to a replica.
type present struct {
	Environment string
	Came        time.Time // by the clock of the replica
	Run         Attached
}

// question is a request for a run that is attached to the replica To.
type question struct {
	To, Environment, Run string
	ID                   int64
	Request              devattach.Request
	Within               time.Duration // that nobody waits for longer
}

// reply is what came of a question. Gone says that the run was not there, or went away.
type reply struct {
	To     string
	ID     int64
	Answer devattach.Answer
	Gone   bool
}

// peer is another replica.
type peer struct {
	heard   time.Time
	present []present
}

// Run keeps the Hub and those of the other replicas informed of each other, until ctx
// ends.
func (h *Hub) Run(ctx context.Context) {
	following := make(chan struct{})
	go func() {
		defer close(following)
		h.follow(ctx)
	}()
	h.announce(ctx)
	<-following
}

// follow hears the others.
func (h *Hub) follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := h.replicas.Follow(ctx, channel, func(text []byte) {
			var m message
			if json.Unmarshal(text, &m) == nil {
				h.hear(ctx, m)
			}
		})
		h.unlink(ctx, err)
		select {
		case <-ctx.Done():
		case <-time.After(tellSoon):
		}
	}
}

// announce tells the others what changes here, and that this replica is there.
func (h *Hub) announce(ctx context.Context) {
	for ctx.Err() == nil {
		h.mu.Lock()
		m := message{Present: h.presentHere(), Stored: h.stored, Asks: h.selfHeard.IsZero()}
		h.stored = nil
		h.forget(time.Now())
		h.mu.Unlock()
		every := tellEvery
		if m.Asks {
			every = tellSoon
		}
		if err := h.publish(ctx, m); err != nil {
			h.unlink(ctx, err)
		}
		select {
		case <-ctx.Done():
		case <-h.news:
		case <-time.After(every):
		}
	}
	_ = h.publish(context.WithoutCancel(ctx), message{Leaves: true}) // the others notice it by themselves, later
}

func (h *Hub) publish(ctx context.Context, m message) error {
	m.From = h.name
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	_, err = h.replicas.Publish(ctx, channel, text)
	return err
}

// unlink notes that the others are not heard.
func (h *Hub) unlink(ctx context.Context, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.selfHeard.IsZero() || ctx.Err() != nil {
		return
	}
	h.log.Warn("what is attached to other replicas is not known", "error", why)
	h.selfHeard = time.Time{}
	for name := range h.peers {
		h.drop(name)
	}
	h.tell()
}

// drop forgets a replica. The mutex is held.
func (h *Hub) drop(name string) {
	delete(h.peers, name)
	for id, q := range h.questions {
		if q.to == name {
			close(q.replied)
			delete(h.questions, id)
		}
	}
}

// forget drops the replicas that are not heard any more. The mutex is held.
func (h *Hub) forget(now time.Time) {
	for name, p := range h.peers {
		if now.Sub(p.heard) > goneAfter {
			h.drop(name)
			h.tell()
		}
	}
}

// hear takes what a replica tells.
func (h *Hub) hear(ctx context.Context, m message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.From == h.name { // that it comes back shows that the others are heard
		if h.selfHeard.IsZero() {
			h.log.Info("what is attached to other replicas is known")
			h.tell()
		}
		h.selfHeard = time.Now()
		return
	}
	switch {
	case m.Leaves:
		h.drop(m.From)
		h.tell()
		return
	case m.Question != nil:
		if m.Question.To == h.name {
			go h.reply(ctx, m.From, *m.Question)
		}
		return
	case m.Reply != nil:
		if q := h.questions[m.Reply.ID]; m.Reply.To == h.name && q != nil {
			q.replied <- *m.Reply
			delete(h.questions, m.Reply.ID)
		}
		return
	}
	if m.Asks {
		h.wakeAnnouncer()
	}
	before := h.peers[m.From]
	h.peers[m.From] = &peer{heard: time.Now(), present: m.Present}
	if before == nil || len(m.Stored) > 0 || !reflect.DeepEqual(before.present, m.Present) {
		h.tell()
	}
}

// reply asks a run that is attached here for another replica.
func (h *Hub) reply(ctx context.Context, from string, q question) {
	ctx, cancel := context.WithTimeout(ctx, q.Within)
	defer cancel()
	r := reply{To: from, ID: q.ID, Gone: true}
	if c := h.newest(q.Environment, q.Run); c != nil {
		var err error
		if r.Answer, err = c.ask(ctx, q.Request); err != nil && !errors.Is(err, ErrGone) {
			return // nobody waits any more
		}
		r.Gone = err != nil
	}
	if err := h.publish(ctx, message{Reply: &r}); err != nil {
		h.log.Warn("what an attached zr dev answered could not be told to the replica that had asked", "error", err)
	}
}

// askThere asks a run that is attached to another replica.
func (h *Hub) askThere(ctx context.Context, to, environment, run string, r devattach.Request) (devattach.Answer, error) {
	deadline, limited := ctx.Deadline()
	if !limited {
		deadline = time.Now().Add(time.Minute)
	}
	mine := &asked{to: to, replied: make(chan reply, 1)}
	h.mu.Lock()
	h.last++
	id := h.last
	h.questions[id] = mine
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.questions, id)
		h.mu.Unlock()
	}()
	if err := h.publish(ctx, message{Question: &question{to, environment, run, id, r, time.Until(deadline)}}); err != nil {
		return devattach.Answer{}, fmt.Errorf("%w (%w)", ErrGone, err)
	}
	select {
	case <-ctx.Done():
		return devattach.Answer{}, ctx.Err()
	case replied, there := <-mine.replied:
		if !there || replied.Gone {
			return devattach.Answer{}, ErrGone
		}
		return replied.Answer, nil
	}
}

// asked is a question that waits for its reply. replied is closed where the replica has
// gone.
type asked struct {
	to      string
	replied chan reply
}

// Counts are how many runs are attached to this replica, and how many other replicas it
// hears.
func (h *Hub) Counts() (attached, replicas int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.channels), len(h.peers)
}

// presentHere are the runs that are attached to this replica. The mutex is held.
func (h *Hub) presentHere() []present {
	var all []present
	for _, c := range h.channels {
		one := c.self
		one.Now = []Doing{}
		for _, d := range c.doing {
			one.Now = append(one.Now, d)
		}
		slices.SortFunc(one.Now, func(a, b Doing) int { return cmp.Compare(a.What, b.What) })
		all = append(all, present{c.environment, c.came, one})
	}
	return all
}

// somewhere is a run, and the replica that it is attached to; "" is this one.
type somewhere struct {
	present
	at string
}

// everywhere are the runs that are attached to an environment, at any replica that is
// heard, the newest first. The mutex is held.
func (h *Hub) everywhere(environment string) []somewhere {
	var all []somewhere
	add := func(at string, runs []present) {
		for _, p := range runs {
			if p.Environment == environment {
				all = append(all, somewhere{p, at})
			}
		}
	}
	add("", h.presentHere())
	for name, p := range h.peers {
		add(name, p.present)
	}
	slices.SortStableFunc(all, func(a, b somewhere) int { return b.Came.Compare(a.Came) })
	return all
}
