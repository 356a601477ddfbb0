// Package link is zr's end of the channel of package devlink: it tells the api what
// happens, and does what the api asks for. All of it happens in goroutines of its own.
// Where there is no api, or it is away, events wait in bounded memory, and nobody waits
// for them.
package link

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"zr/pkg/apiclient"
	"zr/pkg/devlink"
	"zr/pkg/event"
)

// The times of a link.
const (
	// firstPause and longestPause are between two tries to reach the api: it is
	// back a moment after a reload of its own.
	firstPause, longestPause = 50 * time.Millisecond, 5 * time.Second
	// againAfter is when events are told anew that were not stored.
	againAfter = 2 * time.Second
	// dialWithin bounds one try.
	dialWithin = 5 * time.Second
	// settled is how long a connection lasts that was none of a try.
	settled = 10 * time.Second
	// closeWithin is how long the end of a run may wait for its last events.
	closeWithin = 250 * time.Millisecond
)

// Do is a function that does an action and returns its result. An error that is a
// *devlink.Failure is answered as it is.
type Do func(ctx context.Context, argument json.RawMessage) (any, error)

// Link is the channel of one run. It is safe for concurrent use. A nil Link tells
// nobody anything.
type Link struct {
	hello   devlink.Hello
	actions map[devlink.Action]Do // set before the api is found
	events  *buffer
	cancel  context.CancelFunc
	ctx     context.Context
	failed  chan struct{} // closed after the first try that failed

	mu    sync.Mutex
	at    *place
	found chan struct{} // closed when the first place is known
	done  chan struct{} // closed when the goroutine has ended
}

// place is where the api is, and which environment the run is about.
type place struct {
	apiclient.Address
	environment string
}

// New returns the Link of a run that hello tells of, but for its actions. Nothing is
// dialled until Found.
func New(hello devlink.Hello) *Link {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Link{hello: hello, events: newBuffer(), ctx: ctx, cancel: cancel, failed: make(chan struct{}), found: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// Emit implements event.Sink. It never waits.
func (l *Link) Emit(e event.Event) {
	if l != nil {
		l.events.add(e)
	}
}

// Serve sets what the run can be asked for. It is called before Found.
func (l *Link) Serve(actions map[devlink.Action]Do) {
	if l == nil {
		return
	}
	l.actions = actions
	l.hello.Actions = slices.Sorted(maps.Keys(actions))
}

// Found says where the api of an environment is, in whose namespace the run works. It
// may be called again.
func (l *Link) Found(at apiclient.Address, environment string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil {
		close(l.found)
	}
	l.at = &place{at, environment}
}

// Close ends the link. Where the api answers, it waits a moment until that has the
// last events.
func (l *Link) Close() {
	if l == nil {
		return
	}
	defer func() {
		l.cancel()
		<-l.done
	}()
	select {
	case <-l.found:
	default:
		return
	}
	last := time.NewTimer(closeWithin)
	defer last.Stop()
	for !l.events.empty() {
		select {
		case <-l.events.drained:
		case <-l.failed:
			return
		case <-last.C:
			return
		}
	}
}

func (l *Link) run() {
	defer close(l.done)
	select {
	case <-l.found:
	case <-l.ctx.Done():
		return
	}
	var session *apiclient.Session
	var was place
	for pause := firstPause; l.ctx.Err() == nil; {
		l.mu.Lock()
		at := *l.at
		l.mu.Unlock()
		if at != was {
			session, was = nil, at
		}
		begin := time.Now()
		err := l.connect(at, &session)
		if time.Since(begin) > settled {
			pause = firstPause
		}
		if refused, ok := errors.AsType[*apiclient.Refused](err); ok && refused.Status == http.StatusUnauthorized {
			session = nil
		}
		l.fail()
		wait(l.ctx, pause)
		pause = min(2*pause, longestPause)
	}
}

// fail says that a try has ended.
func (l *Link) fail() {
	select {
	case <-l.failed:
	default:
		close(l.failed)
	}
}

// connect keeps one connection until it breaks.
func (l *Link) connect(at place, session **apiclient.Session) error {
	dialling, cancel := context.WithTimeout(l.ctx, dialWithin)
	defer cancel()
	if *session == nil {
		made, err := apiclient.LogIn(dialling, at.Address)
		if err != nil {
			return err
		}
		*session = made
	}
	conn, resp, err := websocket.Dial(dialling, (*session).URL(devlink.Path, url.Values{"environment": {at.environment}}),
		&websocket.DialOptions{HTTPHeader: (*session).Header()})
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
			return &apiclient.Refused{Status: resp.StatusCode}
		}
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(devlink.MaxFrame)
	group, ctx := errgroup.WithContext(l.ctx)
	c := &connection{Link: l, conn: conn, stored: make(chan bool, 1), group: group}
	if err := c.say(ctx, devlink.Frame{Hello: &l.hello}); err != nil {
		return err
	}
	group.Go(func() error { return c.listen(ctx) })
	group.Go(func() error { return c.tell(ctx) })
	group.Go(func() error { return c.ask(ctx) })
	return group.Wait()
}

// connection is one of a link.
type connection struct {
	*Link
	conn   *websocket.Conn
	stored chan bool // of what was told last: whether it is stored
	group  *errgroup.Group
}

func (c *connection) say(ctx context.Context, f devlink.Frame) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	saying, cancel := context.WithTimeout(ctx, devlink.PingWithin)
	defer cancel()
	return c.conn.Write(saying, websocket.MessageText, text)
}

// tell sends events, one message after the other is stored.
func (c *connection) tell(ctx context.Context) error {
	for {
		batch := c.events.batch()
		if len(batch) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-c.events.added:
			}
			continue
		}
		if err := c.say(ctx, devlink.Frame{Events: batch}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case stored := <-c.stored:
			if stored {
				c.events.stored(batch[len(batch)-1].Seq)
				continue
			}
			wait(ctx, againAfter)
		}
	}
}

// ask finds out when the api has gone without a word.
func (c *connection) ask(ctx context.Context) error {
	for {
		if wait(ctx, devlink.PingEvery); ctx.Err() != nil {
			return ctx.Err()
		}
		asking, cancel := context.WithTimeout(ctx, devlink.PingWithin)
		err := c.conn.Ping(asking)
		cancel()
		if err != nil {
			return err
		}
	}
}

// listen takes what the api says.
func (c *connection) listen(ctx context.Context) error {
	for {
		_, text, err := c.conn.Read(ctx)
		if err != nil {
			return err
		}
		var o devlink.Order
		if err := json.Unmarshal(text, &o); err != nil {
			return err
		}
		switch {
		case o.Request != nil:
			c.group.Go(func() error {
				answer := c.do(ctx, *o.Request)
				if ctx.Err() != nil {
					return ctx.Err() // it was cut short, which is no answer
				}
				return c.say(ctx, devlink.Frame{Answer: answer})
			})
		case o.Again, o.Stored > 0:
			select {
			case c.stored <- !o.Again:
			default: // nothing was told that this could be about
			}
		}
	}
}

// do does what is asked.
func (c *connection) do(ctx context.Context, r devlink.Request) *devlink.Answer {
	answer := &devlink.Answer{ID: r.ID}
	do := c.actions[r.Action]
	if do == nil {
		answer.Failed = &devlink.Failure{Code: devlink.Conflict, Text: "this zr " + c.hello.Verb + " cannot " + string(r.Action)}
		return answer
	}
	result, err := do(ctx, r.Argument)
	if err == nil {
		answer.Result, err = json.Marshal(result)
	}
	if err != nil {
		failed, _ := errors.AsType[*devlink.Failure](err)
		answer.Failed = cmp.Or(failed, &devlink.Failure{Code: devlink.Failed, Text: short(err.Error())})
	}
	return answer
}

// wait waits for a time, or for the end of ctx.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
