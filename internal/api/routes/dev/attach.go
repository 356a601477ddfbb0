package dev

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/dev"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/socket"
	"zr/pkg/devattach"
)

// misspoken is the status by which a connection ends that does not speak as package
// devattach says.
const misspoken = 1008

// storeWithin bounds the storing of one message.
const storeWithin = 5 * time.Second

// attach is the end of zr's channel: see package devattach.
func (r *routes) attach(w http.ResponseWriter, req *http.Request) {
	e, err := env.Of(r.Environments, req.URL.Query().Get("environment"))
	if p, refused := errors.AsType[*contract.Problem](err); refused {
		contract.Write(w, req, p)
		return
	}
	conn := socket.Converse(w, req, r.Origins, "come back", devattach.MaxFrame, socket.Pings{Every: devattach.PingEvery, Within: devattach.PingWithin})
	if conn == nil {
		return
	}
	defer conn.Leave()
	var first devattach.Frame
	if conn.Receive(&first) != nil {
		return
	}
	self, ok := attachedOf(first.Hello)
	if !ok {
		conn.Close(misspoken, "the first frame says who comes")
		return
	}
	self.User = access.From(req.Context()).Name
	channel := r.Hub.Attach(e.Key(), self, func(o devattach.Order) error { return conn.Send(o) })
	r.log.Info("zr is attached", "verb", self.Verb, "user", self.User, "machine", self.Machine, "environment", e.Name, "requestId", contract.RequestID(req.Context()))
	told, stored := make(chan []devattach.Event, 1), make(chan struct{})
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
		var f devattach.Frame
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
func (r *routes) record(ctx context.Context, channel *dev.Channel, events []devattach.Event) devattach.Order {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	if err := r.Recorder.Record(ctx, channel, events); err != nil {
		r.log.Warn("events of a run are not stored, and will be told again", "error", err, "requestId", contract.RequestID(ctx))
		return devattach.Order{Again: true}
	}
	return devattach.Order{Stored: events[len(events)-1].Seq}
}

// attachedOf checks what a run says of itself.
func attachedOf(h *devattach.Hello) (dev.Attached, bool) {
	if h == nil || h.Run == "" || len(h.Run) > 64 || h.Verb != devattach.Up && h.Verb != devattach.Dev || len(h.Machine) > 253 || len(h.Folder) > devattach.MaxFolder || len(h.Actions) > 50 {
		return dev.Attached{}, false
	}
	if strings.Contains(h.Run+h.Machine+h.Folder, "\x00") { // which PostgreSQL cannot hold
		return dev.Attached{}, false
	}
	return dev.Attached{Run: h.Run, Verb: h.Verb, Machine: h.Machine, Folder: h.Folder, Process: h.Process, Since: h.Since.UTC(), Actions: append([]devattach.Action{}, h.Actions...)}, true
}
