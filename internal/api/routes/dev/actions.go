package dev

import (
	"context"
	"errors"
	"net/http"

	"zr/internal/api/contract"
	"zr/internal/api/dev"
	env "zr/internal/api/routes/environments"
	"zr/pkg/devattach"
	"zr/pkg/event"
)

const described = "Answered when it is done, as the trace says. 409 where no `zr dev` is attached, 502 where it was tried and failed, " +
	"504 where there was no answer within a minute: what it does goes on, and its events tell."

func (r *routes) addActions(a *contract.API, path, group string) {
	add := func(id string, action devattach.Action, summary string) {
		contract.Add(a, route(id, path+"/"+string(action), group, summary), func(ctx context.Context, in *serviceInput) (*reloadOutput, error) {
			return r.reload(ctx, id, action, in.Environment, devattach.Service{Service: in.Body.Service})
		})
	}
	add("devRebuild", devattach.Rebuild, "Has the attached zr dev build a service anew and make that live")
	add("devRestart", devattach.Restart, "Has the attached zr dev start the process of a service anew")
	contract.Add(a, route("devApply", path+"/"+string(devattach.Apply), group, "Has the attached zr dev apply the manifests and the configuration as they are on its disk"),
		func(ctx context.Context, in *scopeInput) (*reloadOutput, error) {
			return r.reload(ctx, "devApply", devattach.Apply, in.Environment, devattach.Service{})
		})
}

func route(id, path, group, summary string) contract.Route {
	return contract.Route{
		Rules: contract.Rules{Class: contract.Form, Role: contract.Operator},
		ID:    id, Method: http.MethodPost, Path: path, Group: group, Summary: summary, Description: described,
		Refusals: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusBadGateway, http.StatusGatewayTimeout},
	}
}

type serviceInput struct {
	env.Scope
	Body struct {
		Service string `json:"service" minLength:"1" maxLength:"253" pattern:"^[a-z0-9.-]+$"`
	}
}

type reloadOutput struct{ Body event.Reload }

// reload asks for an action of which the result is a trace, and records how it went.
func (r *routes) reload(ctx context.Context, id string, action devattach.Action, environment string, of devattach.Service) (*reloadOutput, error) {
	e, err := env.Of(r.Environments, environment)
	if err != nil {
		return nil, err
	}
	var out reloadOutput
	if err := r.asked(ctx, id, e.Key(), action, of, &out.Body, e.Target(of.Service)); err != nil {
		return nil, err
	}
	return &out, nil
}

// Problem is what a route answers with where dev.Hub.Ask failed.
func Problem(err error) *contract.Problem {
	if f, failed := errors.AsType[*devattach.Failure](err); failed {
		switch f.Code {
		case devattach.NotFound:
			return contract.Refuse(http.StatusNotFound, "not_found", f.Text)
		case devattach.Conflict:
			return contract.Refuse(http.StatusConflict, "conflict", f.Text)
		}
		return contract.Refuse(http.StatusBadGateway, "dev_failed", f.Text)
	}
	switch {
	case errors.Is(err, dev.ErrNotAttached):
		return contract.Refuse(http.StatusConflict, "not_attached", err.Error())
	case errors.Is(err, dev.ErrGone):
		return contract.Refuse(http.StatusBadGateway, "dev_failed", err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return contract.Refuse(http.StatusGatewayTimeout, "timeout", "the zr dev has not answered in time: what it does goes on, and its events tell")
	}
	return contract.Refuse(http.StatusBadGateway, "dev_failed", "the answer of the zr dev was not understood")
}
