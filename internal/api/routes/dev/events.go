package dev

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/dev"
	"zr/internal/api/reason"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/socket"
)

const (
	// livePage is how many events a frame has at most.
	livePage = 100
	// lookEvery is how often the database is asked for what another replica has
	// stored and could not tell of. What it tells of is sent at once.
	lookEvery = time.Second
	// readWithin bounds one question to the database.
	readWithin = 5 * time.Second
)

func (r *routes) addEvents(a *contract.API, path, group string) {
	rules := contract.Rules{Class: contract.Read, Role: contract.Viewer}
	refusals := []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	contract.Add(a, contract.Route{
		Rules: rules, ID: "listRunEvents", Method: http.MethodGet, Path: path + "/events", Group: group,
		Summary: "What runs of zr told, newest first", Description: "Kept for 30 days, 100,000 of an environment at most.", Refusals: refusals,
	}, r.events)
	contract.Add(a, contract.Route{
		Rules: rules, ID: "getDelivery", Method: http.MethodGet, Path: path + "/metrics", Group: group,
		Summary:     "The four metrics of DORA, of the inner loop and of the environment",
		Description: "Frequency, lead time (save to healthy), change failure rate, and time to restore.", Refusals: refusals,
	}, r.delivery)
	a.AddPlain("GET "+path+"/live", contract.Rules{Class: contract.Stream, Role: contract.Viewer}, http.HandlerFunc(r.live))
}

type eventsInput struct {
	env.Scope
	contract.Page
	Run     string   `query:"run" maxLength:"64" pattern:"^[A-Za-z0-9-]*$" doc:"Only of this run."`
	Service string   `query:"service" maxLength:"253" pattern:"^[a-z0-9./ -]*$" doc:"Only about this service, or source of a problem."`
	Types   []string `query:"type,explode" maxItems:"20" doc:"Only of these types."`
	Failed  bool     `query:"failed" doc:"Only what failed: events that have an error."`
}

// RunEvents is a page of what runs told.
type RunEvents struct {
	Events []dev.RunEvent `json:"events"`
	Next   string         `json:"next,omitempty" doc:"The cursor of the page after this one."`
}

type eventsOutput struct{ Body RunEvents }

func (r *routes) events(ctx context.Context, in *eventsInput) (*eventsOutput, error) {
	e, err := env.Of(r.Environments, in.Environment)
	if err != nil {
		return nil, err
	}
	before, err := in.Before()
	if err != nil {
		return nil, err
	}
	events, err := r.Store.RunEvents(ctx, dev.EventFilter{Environment: e.Key(), Run: in.Run, Service: in.Service, Types: in.Types, Failed: in.Failed}, before, in.Limit)
	if err != nil {
		return nil, r.unavailable(ctx, err)
	}
	page := RunEvents{Events: append([]dev.RunEvent{}, events...)} // an empty list is [] in JSON
	if len(events) > 0 {
		page.Next = in.Next(len(events), events[len(events)-1].ID)
	}
	return &eventsOutput{page}, nil
}

type deliveryInput struct {
	env.Scope
	Window string `query:"window" enum:"1h,24h,7d" default:"24h" doc:"How far it reaches back."`
}

type deliveryOutput struct{ Body dev.Delivery }

// windows are how far the metrics reach back, and the slices of their curves.
var windows = map[string]struct{ back, step time.Duration }{
	"1h":  {time.Hour, 5 * time.Minute},
	"24h": {24 * time.Hour, time.Hour},
	"7d":  {7 * 24 * time.Hour, 6 * time.Hour},
}

func (r *routes) delivery(ctx context.Context, in *deliveryInput) (*deliveryOutput, error) {
	e, err := env.Of(r.Environments, in.Environment)
	if err != nil {
		return nil, err
	}
	now, window := time.Now().UTC(), windows[in.Window]
	d, err := r.Store.Delivery(ctx, e.Key(), now.Add(-window.back), now, window.step)
	if err != nil {
		return nil, r.unavailable(ctx, err)
	}
	return &deliveryOutput{d}, nil
}

func (r *routes) unavailable(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	r.log.Warn("the events of runs were not read", "error", err, "requestId", contract.RequestID(ctx))
	return contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer: "+reason.Of(err))
}

// Frame is what is new. The first one has who is attached, and the events after the one
// that the parameter after names.
type Frame struct {
	Attached *[]dev.Attached `json:"attached,omitempty"` // where that has changed
	Complete *bool           `json:"complete,omitempty"` // beside them: false while those of other replicas are not known
	Events   []dev.RunEvent  `json:"events"`
}

// live sends what runs tell as it is stored, and who is attached.
func (r *routes) live(w http.ResponseWriter, req *http.Request) {
	e, err := env.Of(r.Environments, req.URL.Query().Get("environment"))
	var after int64
	if text := req.URL.Query().Get("after"); text != "" && err == nil {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			problem := contract.Refuse(http.StatusUnprocessableEntity, "invalid", "validation failed")
			problem.Errors = []contract.Fault{{Location: "query.after", Message: "not the id of an event"}}
			err = problem
		}
	} else if err == nil {
		after, err = r.last(req.Context(), e.Key())
	}
	if p, refused := errors.AsType[*contract.Problem](err); refused {
		contract.Write(w, req, p)
		return
	}
	conn := socket.Accept(w, req, r.Origins, "go on after the last id")
	if conn == nil {
		return
	}
	defer conn.Leave()
	var sent AttachedRuns
	for first := true; ; first = false {
		attached, complete, changed := r.Hub.Attached(e.Key())
		f := Frame{Events: r.after(conn.Context(), e.Key(), after)}
		if now := (AttachedRuns{attached, complete}); first || !reflect.DeepEqual(sent, now) {
			sent, f.Attached, f.Complete = now, &attached, &complete
		}
		if len(f.Events) > 0 {
			after = f.Events[len(f.Events)-1].ID
		}
		if (f.Attached != nil || len(f.Events) > 0) && conn.Send(f) != nil {
			return
		}
		if len(f.Events) == livePage {
			continue
		}
		select {
		case <-conn.Context().Done():
			return
		case <-changed:
		case <-time.After(lookEvery):
		}
	}
}

// last is the id of the newest event.
func (r *routes) last(ctx context.Context, environment string) (int64, error) {
	newest, err := r.Store.RunEvents(ctx, dev.EventFilter{Environment: environment}, 0, 1)
	if err != nil {
		return 0, r.unavailable(ctx, err)
	}
	if len(newest) == 0 {
		return 0, nil
	}
	return newest[0].ID, nil
}

// after returns the events after one. While the database is away there are none.
func (r *routes) after(ctx context.Context, environment string, id int64) []dev.RunEvent {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	events, err := r.Store.RunEventsAfter(ctx, environment, id, livePage)
	if err != nil {
		return []dev.RunEvent{}
	}
	return append([]dev.RunEvent{}, events...)
}
