package services

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/fleet"
	"zr/internal/api/probe"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/socket"
)

// Frame is what changed since the frame before; the first one has everything.
type Frame struct {
	At time.Time `json:"observedAt"`
	// Kubernetes says whether the Kubernetes API answers.
	Kubernetes probe.Result    `json:"kubernetes"`
	Changed    []fleet.Service `json:"changed"`
	Removed    []string        `json:"removed"`
}

// live sends how the services are, and each change of one as it comes. What only
// measures a latency anew is no change.
func (r *routes) live(w http.ResponseWriter, req *http.Request) {
	e, err := env.Of(r.set, req.URL.Query().Get("environment"))
	if p, refused := errors.AsType[*contract.Problem](err); refused {
		contract.Write(w, req, p)
		return
	}
	conn := socket.Accept(w, req, r.origins, "come back for the whole")
	if conn == nil {
		return
	}
	defer conn.Leave()
	sent := map[string]string{}
	kubernetes := ""
	for last := (*fleet.Snapshot)(nil); ; {
		snapshot, err := e.Services.Next(conn.Context(), last)
		if err != nil {
			return
		}
		frame := difference(snapshot, sent)
		if last == nil || snapshot.Kubernetes.Status != kubernetes || len(frame.Changed)+len(frame.Removed) > 0 {
			if conn.Send(frame) != nil {
				return
			}
		}
		last, kubernetes = snapshot, snapshot.Kubernetes.Status
	}
}

// difference returns what is not as it was sent, and takes it for sent.
func difference(s *fleet.Snapshot, sent map[string]string) Frame {
	f := Frame{At: s.At, Kubernetes: s.Kubernetes, Changed: []fleet.Service{}, Removed: []string{}}
	there := map[string]bool{}
	for _, svc := range s.Services {
		there[svc.Name] = true
		compared := svc
		if svc.Measured != nil {
			compared.Measured = &probe.Result{Status: svc.Measured.Status, Reason: svc.Measured.Reason}
		}
		text, err := json.Marshal(compared)
		if err != nil {
			continue // strings, numbers and times: it cannot
		}
		if sent[svc.Name] != string(text) {
			sent[svc.Name] = string(text)
			f.Changed = append(f.Changed, svc)
		}
	}
	for name := range sent {
		if !there[name] && s.Kubernetes.Status == probe.OK { // otherwise it may merely be unseen
			delete(sent, name)
			f.Removed = append(f.Removed, name)
		}
	}
	return f
}
