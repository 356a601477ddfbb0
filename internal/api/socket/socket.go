// Package socket is the server's end of a WebSocket.
package socket

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"
)

const (
	// sendWithin is how long a client may take for one frame. One that is slower
	// is gone.
	sendWithin = 30 * time.Second
	// pingEvery keeps connections open on the way, and finds dead ones.
	pingEvery = 20 * time.Second
)

type drainKey struct{}

// WithDrain returns a context for requests, whose connections end when drain does: with a
// word that has the client come back, which may be to another replica.
func WithDrain(ctx, drain context.Context) context.Context {
	return context.WithValue(ctx, drainKey{}, drain)
}

// Conn is one connection.
type Conn struct {
	conn   *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
	resume string
}

// Accept takes a request of a page of one of the origins, or of no page, for a
// connection on which only the server speaks. It returns nil where there is no
// connection: the request is answered then. resume says how its client goes on at the
// next connection.
func Accept(w http.ResponseWriter, req *http.Request, origins []string, resume string) *Conn {
	conn, err := websocket.Accept(w, req, &websocket.AcceptOptions{OriginPatterns: hosts(origins)})
	if err != nil {
		return nil
	}
	return newConn(conn.CloseRead(req.Context()), conn, resume, Pings{pingEvery, sendWithin})
}

// Pings say how soon it is noticed that a client is gone.
type Pings struct{ Every, Within time.Duration }

// Converse is Accept for a connection on which the client speaks too, in frames of at
// most limit bytes: somebody has to call Receive all the time.
func Converse(w http.ResponseWriter, req *http.Request, origins []string, resume string, limit int64, pings Pings) *Conn {
	conn, err := websocket.Accept(w, req, &websocket.AcceptOptions{OriginPatterns: hosts(origins)})
	if err != nil {
		return nil
	}
	conn.SetReadLimit(limit)
	return newConn(req.Context(), conn, resume, pings)
}

func newConn(ctx context.Context, conn *websocket.Conn, resume string, pings Pings) *Conn {
	ctx, cancel := context.WithCancel(ctx)
	c := &Conn{conn, ctx, cancel, resume}
	go c.keepAlive(pings.Every, pings.Within)
	if drain, drains := ctx.Value(drainKey{}).(context.Context); drains {
		stop := context.AfterFunc(drain, c.Leave)
		context.AfterFunc(ctx, func() { stop() })
	}
	return c
}

// Receive decodes the next frame of JSON into a value.
func (c *Conn) Receive(into any) error {
	_, frame, err := c.conn.Read(c.ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(frame, into)
}

// Context ends when the client has gone.
func (c *Conn) Context() context.Context { return c.ctx }

// Send sends a value as one frame of JSON.
func (c *Conn) Send(value any) error {
	frame, err := json.Marshal(value)
	if err != nil {
		return err
	}
	sending, cancel := context.WithTimeout(c.ctx, sendWithin)
	defer cancel()
	return c.conn.Write(sending, websocket.MessageText, frame)
}

// Leave ends the connection, and has the client come back.
func (c *Conn) Leave() { c.Close(int(websocket.StatusGoingAway), c.resume) }

// Close ends the connection, with a status and the reason.
func (c *Conn) Close(status int, reason string) {
	defer c.cancel()
	_ = c.conn.Close(websocket.StatusCode(status), reason) // the client may be gone
	_ = c.conn.CloseNow()
}

func (c *Conn) keepAlive(every, within time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
		asking, cancel := context.WithTimeout(c.ctx, within)
		err := c.conn.Ping(asking)
		cancel()
		if err != nil {
			c.cancel()
			return
		}
	}
}

// hosts are the parts of origins that the library compares.
func hosts(origins []string) []string {
	var all []string
	for _, origin := range origins {
		if u, err := url.Parse(origin); err == nil {
			all = append(all, u.Host)
		}
	}
	return all
}
