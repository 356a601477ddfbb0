// Package attachment is zr's end of the channel of package devattach: it tells the api
// what happens, and does what the api asks for. All of it happens in goroutines of its own.
// Where there is no api, or it is away, events wait in bounded memory, and nobody waits
// for them.
package attachment

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
	"zr/pkg/devattach"
	"zr/pkg/event"
)

// The times of an attachment.
const (
	// firstPause and longestPause are between two tries to reach the api: it is
	// back a moment after a reload of its own.
	firstPause, longestPause = 50 * time.Millisecond, 5 * time.Second
	// againAfter is when events are told anew that were not stored.
	againAfter = 2 * time.Second
	// dialWithin bounds one try.
	dialWithin = 5 * time.Second
	// lasting is how long a connection lasts that was none of a try.
	lasting = 10 * time.Second
	// closeWithin is how long the end of a run may wait for its last events.
	closeWithin = 250 * time.Millisecond
)

// Do is a function that does an action and returns its result. An error that is a
// *devattach.Failure is answered as it is.
type Do func(ctx context.Context, argument json.RawMessage) (any, error)

// Attachment is the channel of one run. It is safe for concurrent use. A nil Attachment
// tells nobody anything.
type Attachment struct {
	hello   devattach.Hello
	actions map[devattach.Action]Do // set before the api is found
	events  *buffer
	cancel  context.CancelFunc
	ctx     context.Context
	again   chan struct{} // has a token after the api was found

	mu     sync.Mutex
	at     *target
	failed chan struct{} // closed after the first try that failed since the api was found
	found  chan struct{} // closed when the first target is known
	done   chan struct{} // closed when the goroutine has ended
}

// target is where the api is, and which environment the run is about.
type target struct {
	apiclient.Address
	environment string
}

// New returns the Attachment of a run that hello tells of, but for its actions. Nothing is
// dialled until Found.
func New(hello devattach.Hello) *Attachment {
	ctx, cancel := context.WithCancel(context.Background())
	a := &Attachment{hello: hello, events: newBuffer(), ctx: ctx, cancel: cancel, again: make(chan struct{}, 1), failed: make(chan struct{}), found: make(chan struct{}), done: make(chan struct{})}
	go a.run()
	return a
}

// Emit implements event.Sink. It never waits.
func (a *Attachment) Emit(e event.Event) {
	if a != nil {
		a.events.add(e)
	}
}

// Serve sets what the run can be asked for. It is called before Found.
func (a *Attachment) Serve(actions map[devattach.Action]Do) {
	if a == nil {
		return
	}
	a.actions = actions
	a.hello.Actions = slices.Sorted(maps.Keys(actions))
}

// Found says where the api of an environment is, in whose namespace the run works. It
// may be called again, as when the api is known to have come up: it is tried at once then.
func (a *Attachment) Found(at apiclient.Address, environment string) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at == nil {
		close(a.found)
	}
	a.at = &target{at, environment}
	select {
	case <-a.failed:
		a.failed = make(chan struct{})
	default:
	}
	signal(a.again)
}

// Close ends the attachment. Where the api answers, it waits a moment until that has the
// last events.
func (a *Attachment) Close() {
	if a == nil {
		return
	}
	defer func() {
		a.cancel()
		<-a.done
	}()
	select {
	case <-a.found:
	default:
		return
	}
	a.mu.Lock()
	failed := a.failed
	a.mu.Unlock()
	last := time.NewTimer(closeWithin)
	defer last.Stop()
	for !a.events.empty() {
		select {
		case <-a.events.drained:
		case <-failed:
			return
		case <-last.C:
			return
		}
	}
}

func (a *Attachment) run() {
	defer close(a.done)
	select {
	case <-a.found:
	case <-a.ctx.Done():
		return
	}
	var session *apiclient.Session
	var was target
	for pause := firstPause; a.ctx.Err() == nil; {
		a.mu.Lock()
		at := *a.at
		a.mu.Unlock()
		if at != was {
			session, was = nil, at
		}
		begin := time.Now()
		err := a.connect(at, &session)
		if time.Since(begin) > lasting {
			pause = firstPause
		}
		if refused, ok := errors.AsType[*apiclient.Refused](err); ok && refused.Status == http.StatusUnauthorized {
			session = nil
		}
		a.fail()
		select {
		case <-time.After(pause):
			pause = min(2*pause, longestPause)
		case <-a.again:
			pause = firstPause
		case <-a.ctx.Done():
		}
	}
}

// fail says that a try has ended.
func (a *Attachment) fail() {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.failed:
	default:
		close(a.failed)
	}
}

// connect keeps one connection until it breaks.
func (a *Attachment) connect(at target, session **apiclient.Session) error {
	dialling, cancel := context.WithTimeout(a.ctx, dialWithin)
	defer cancel()
	if *session == nil {
		made, err := apiclient.LogIn(dialling, at.Address)
		if err != nil {
			return err
		}
		*session = made
	}
	conn, resp, err := websocket.Dial(dialling, (*session).URL(devattach.Path, url.Values{"environment": {at.environment}}),
		&websocket.DialOptions{HTTPHeader: (*session).Header()})
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
			return &apiclient.Refused{Status: resp.StatusCode}
		}
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(devattach.MaxFrame)
	group, ctx := errgroup.WithContext(a.ctx)
	c := &connection{Attachment: a, conn: conn, stored: make(chan bool, 1), group: group}
	if err := c.say(ctx, devattach.Frame{Hello: &a.hello}); err != nil {
		return err
	}
	group.Go(func() error { return c.listen(ctx) })
	group.Go(func() error { return c.tell(ctx) })
	group.Go(func() error { return c.ask(ctx) })
	return group.Wait()
}

// connection is one of an attachment.
type connection struct {
	*Attachment
	conn   *websocket.Conn
	stored chan bool // of what was told last: whether it is stored
	group  *errgroup.Group
}

func (c *connection) say(ctx context.Context, f devattach.Frame) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	saying, cancel := context.WithTimeout(ctx, devattach.PingWithin)
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
		if err := c.say(ctx, devattach.Frame{Events: batch}); err != nil {
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
		if wait(ctx, devattach.PingEvery); ctx.Err() != nil {
			return ctx.Err()
		}
		asking, cancel := context.WithTimeout(ctx, devattach.PingWithin)
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
		var o devattach.Order
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
				return c.say(ctx, devattach.Frame{Answer: answer})
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
func (c *connection) do(ctx context.Context, r devattach.Request) *devattach.Answer {
	answer := &devattach.Answer{ID: r.ID}
	do := c.actions[r.Action]
	if do == nil {
		answer.Failed = &devattach.Failure{Code: devattach.Conflict, Text: "this zr " + c.hello.Verb + " cannot " + string(r.Action)}
		return answer
	}
	result, err := do(ctx, r.Argument)
	if err == nil {
		answer.Result, err = json.Marshal(result)
	}
	if err != nil {
		failed, _ := errors.AsType[*devattach.Failure](err)
		answer.Failed = cmp.Or(failed, &devattach.Failure{Code: devattach.Failed, Text: short(err.Error())})
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
