package dev

import (
	"errors"
	"net/http"

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
	defer channel.Detach()
	r.log.Info("zr is attached", "verb", self.Verb, "user", self.User, "machine", self.Machine, "environment", e.Name, "requestId", contract.RequestID(req.Context()))
	for {
		var f devlink.Frame
		if conn.Receive(&f) != nil {
			return
		}
		if f.Answer != nil {
			channel.Answered(*f.Answer)
		}
		if len(f.Events) > 0 {
			channel.Happened(f.Events)
			if conn.Send(devlink.Order{Stored: f.Events[len(f.Events)-1].Seq}) != nil {
				return
			}
		}
	}
}

// attachedOf checks what a run says of itself.
func attachedOf(h *devlink.Hello) (dev.Attached, bool) {
	if h == nil || h.Run == "" || len(h.Run) > 64 || h.Verb != devlink.Up && h.Verb != devlink.Dev || len(h.Machine) > 253 || len(h.Actions) > 50 {
		return dev.Attached{}, false
	}
	return dev.Attached{Run: h.Run, Verb: h.Verb, Machine: h.Machine, Process: h.Process, Since: h.Since.UTC(), Actions: append([]devlink.Action{}, h.Actions...)}, true
}
