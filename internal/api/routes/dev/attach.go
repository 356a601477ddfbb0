package dev

import (
	"context"
	"errors"
	"net/http"
	"time"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/dev"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/socket"
	"zr/pkg/devlink"
)

// misspoken is the status by which a connection ends that does not speak as package
// devlink says.
const misspoken = 1008

// storeWithin bounds the storing of one message.
const storeWithin = 5 * time.Second

// attach is the end of zr's channel: see package devlink.
func (r *routes) attach(w http.ResponseWriter, req *http.Request) {
	e, err := env.Of(r.Environments, req.URL.Query().Get("environment"))
	if p, refused := errors.AsType[*contract.Problem](err); refused {
		contract.Write(w, req, p)
		return
	}
	conn := socket.Converse(w, req, r.Origins, devlink.MaxFrame, socket.Pings{Every: devlink.PingEvery, Within: devlink.PingWithin})
	if conn == nil {
		return
	}
	defer conn.Close(socket.GoingAway, "come back")
	var first devlink.Frame
	if conn.Receive(&first) != nil {
		return
	}
	self, ok := attachedOf(first.Hello)
	if !ok {
		conn.Close(misspoken, "the first frame says who comes")
		return
	}
	self.User = access.From(req.Context()).Name
	channel := r.Hub.Attach(e.Key(), self, func(o devlink.Order) error { return conn.Send(o) })
	r.log.Info("zr is attached", "verb", self.Verb, "user", self.User, "machine", self.Machine, "environment", e.Name, "requestId", contract.RequestID(req.Context()))
	told, stored := make(chan []devlink.Event, 1), make(chan struct{})
	go func() {
		defer close(stored)
		for events := range told {
			_ = conn.Send(r.record(req.Context(), channel, events)) // Receive fails, too
		}
	}()
	defer func() {
		close(told)
		<-stored
	}()
	defer channel.Detach() // before what it told last is stored
	for {
		var f devlink.Frame
		if conn.Receive(&f) != nil {
			return
		}
		if f.Answer != nil {
			channel.Answered(*f.Answer)
		}
		if len(f.Events) == 0 {
			continue
		}
		channel.Happened(f.Events)
		select {
		case told <- f.Events:
		default:
			conn.Close(misspoken, "events come after those before were stored")
			return
		}
	}
}

// record stores events and says how that went. They are stored also where who told them
// has gone.
func (r *routes) record(ctx context.Context, channel *dev.Channel, events []devlink.Event) devlink.Order {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	if err := r.Recorder.Record(ctx, channel, events); err != nil {
		r.log.Warn("events of a run are not stored, and will be told again", "error", err, "requestId", contract.RequestID(ctx))
		return devlink.Order{Again: true}
	}
	return devlink.Order{Stored: events[len(events)-1].Seq}
}

// attachedOf checks what a run says of itself.
func attachedOf(h *devlink.Hello) (dev.Attached, bool) {
	if h == nil || h.Run == "" || len(h.Run) > 64 || h.Verb != devlink.Up && h.Verb != devlink.Dev || len(h.Machine) > 253 || len(h.Actions) > 50 {
		return dev.Attached{}, false
	}
	return dev.Attached{Run: h.Run, Verb: h.Verb, Machine: h.Machine, Process: h.Process, Since: h.Since.UTC(), Actions: append([]devlink.Action{}, h.Actions...)}, true
}
