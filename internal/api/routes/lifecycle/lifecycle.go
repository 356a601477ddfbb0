// Package lifecycle lets operators stop, start, restart and scale services.
package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/kube"
	"zr/internal/api/lifecycle"
	"zr/internal/api/once"
	"zr/internal/api/reason"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/postgres"
)

type routes struct {
	set  *environments.Set
	gate *access.Gate
	keys once.Keys
	log  *slog.Logger
}

// Add adds the routes.
func Add(a *contract.API, set *environments.Set, gate *access.Gate, keys cache.Cache, log *slog.Logger) {
	r := &routes{set, gate, once.Keys{Cache: keys, Log: log}, log}
	add(a, "stopService", "stop", "Scales a service to nothing", r.stop)
	add(a, "startService", "start", "Gives a stopped service the replicas back that it had, or one", r.start)
	add(a, "restartService", "restart", "Replaces the pods of a service", r.restart)
	add(a, "scaleService", "scale", "Gives a service a number of replicas", r.scale)
	add(a, "rollbackService", "rollback", "Gives a service the template of an earlier revision", r.rollback)
	add(a, "runService", "run", "Runs a Job again that has ended", r.run)
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Viewer},
		ID:    "listRevisions", Method: http.MethodGet, Path: contract.Base + "/services/{name}/revisions", Group: "lifecycle",
		Summary:  "What a Deployment or StatefulSet can be rolled back to, the newest first",
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, r.revisions)
}

const described = "Answered when Kubernetes has said, after the change, that it has taken effect; 504 where it had not within a minute: the change stays. " +
	"The next `zr up` brings back what the manifests say, and names what was changed."

func add[In any](a *contract.API, id, verb, summary string, run func(context.Context, *In) (*output, error)) {
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Form, Role: contract.Operator},
		ID:    id, Method: http.MethodPost, Path: contract.Base + "/services/{name}/" + verb, Group: "lifecycle", Summary: summary, Description: described,
		Refusals: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, run)
}

// Target is what every action takes.
type Target struct {
	env.Scope
	Name string `path:"name" maxLength:"253" pattern:"^[a-z0-9.-]+$"`
	Key  string `header:"Idempotency-Key" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"The same request under the same key is done once, and answered alike for a day."`
}

// Confirmed is what an action takes that may end what others need.
type Confirmed struct {
	Target
	Confirm bool `query:"confirm" doc:"Also where others that run depend on it."`
}

type scaleInput struct {
	Confirmed
	Body struct {
		Replicas int32 `json:"replicas" minimum:"0" maximum:"100"`
	}
}

type rollbackInput struct {
	Target
	Body struct {
		Revision int64 `json:"revision" minimum:"1" doc:"One of listRevisions."`
	}
}

type revisionsInput struct {
	env.Scope
	Name string `path:"name" maxLength:"253" pattern:"^[a-z0-9.-]+$"`
}

// Revisions are what a service can be rolled back to.
type Revisions struct {
	Revisions []lifecycle.Revision `json:"revisions"`
}

type revisionsOutput struct{ Body Revisions }

type output struct{ Body lifecycle.Effect }

func (r *routes) stop(ctx context.Context, in *Confirmed) (*output, error) {
	return r.do(ctx, "stopService", in.Target, func(ctx context.Context, services *lifecycle.Services) (lifecycle.Effect, error) {
		return services.Stop(ctx, in.Name, access.From(ctx).Name, in.Confirm)
	})
}

func (r *routes) start(ctx context.Context, in *Target) (*output, error) {
	return r.do(ctx, "startService", *in, func(ctx context.Context, services *lifecycle.Services) (lifecycle.Effect, error) {
		return services.Start(ctx, in.Name)
	})
}

func (r *routes) restart(ctx context.Context, in *Target) (*output, error) {
	return r.do(ctx, "restartService", *in, func(ctx context.Context, services *lifecycle.Services) (lifecycle.Effect, error) {
		return services.Restart(ctx, in.Name)
	})
}

func (r *routes) scale(ctx context.Context, in *scaleInput) (*output, error) {
	return r.do(ctx, "scaleService", in.Target, func(ctx context.Context, services *lifecycle.Services) (lifecycle.Effect, error) {
		return services.Scale(ctx, in.Name, access.From(ctx).Name, in.Body.Replicas, in.Confirm)
	})
}

func (r *routes) rollback(ctx context.Context, in *rollbackInput) (*output, error) {
	return r.do(ctx, "rollbackService", in.Target, func(ctx context.Context, services *lifecycle.Services) (lifecycle.Effect, error) {
		return services.Rollback(ctx, in.Name, in.Body.Revision)
	})
}

func (r *routes) run(ctx context.Context, in *Target) (*output, error) {
	return r.do(ctx, "runService", *in, func(ctx context.Context, services *lifecycle.Services) (lifecycle.Effect, error) {
		return services.Run(ctx, in.Name)
	})
}

func (r *routes) revisions(ctx context.Context, in *revisionsInput) (*revisionsOutput, error) {
	e, err := env.Of(r.set, in.Environment)
	if err != nil {
		return nil, err
	}
	all, err := e.Changes.Revisions(ctx, in.Name)
	if err != nil {
		r.log.Warn("the revisions were not read", "service", in.Name, "error", err, "requestId", contract.RequestID(ctx))
		return nil, problem(err)
	}
	return &revisionsOutput{Revisions{append([]lifecycle.Revision{}, all...)}}, nil
}

// do runs an action once for its key, and records how it went.
func (r *routes) do(ctx context.Context, action string, in Target, run func(context.Context, *lifecycle.Services) (lifecycle.Effect, error)) (*output, error) {
	e, err := env.Of(r.set, in.Environment)
	if err != nil {
		return nil, err
	}
	target := e.Target(in.Name)
	key := ""
	if in.Key != "" {
		key = "action:" + access.From(ctx).Name + ":" + action + ":" + target + ":" + in.Key
	}
	result, err := once.Do(ctx, r.keys, key, func() (lifecycle.Effect, error) {
		acting, cancel := context.WithTimeout(ctx, contract.Form.Acting())
		defer cancel()
		acting, key := kube.Act(acting)
		result, err := run(acting, e.Changes)
		record := postgres.AuditRecord{Key: key, Action: action, Target: target, Outcome: postgres.Done}
		if err != nil {
			r.log.Warn("an action failed", "action", action, "service", target, "error", err, "requestId", contract.RequestID(ctx))
			p := problem(err)
			record.Outcome, record.Detail, err = outcome(p), p.Detail, p
		}
		return result, r.gate.RecordAct(ctx, record, err)
	})
	if err != nil {
		return nil, err
	}
	return &output{result}, nil
}

// problem says what an error of an action is answered with.
func problem(err error) *contract.Problem {
	if needs, ok := errors.AsType[*lifecycle.NeedsConfirmation](err); ok {
		p := contract.Refuse(http.StatusConflict, "confirm_required", needs.Error()+"; confirm=true does it all the same")
		p.Dependents = needs.Dependents
		return p
	}
	if late, ok := errors.AsType[*lifecycle.NotThere](err); ok {
		return contract.Refuse(http.StatusGatewayTimeout, "not_in_effect", late.Error())
	}
	if failed, ok := errors.AsType[*lifecycle.JobFailed](err); ok {
		return contract.Refuse(http.StatusBadGateway, "job_failed", failed.Error())
	}
	switch {
	case errors.Is(err, lifecycle.ErrNoJob), errors.Is(err, lifecycle.ErrRuns):
		return contract.Refuse(http.StatusConflict, "conflict", err.Error())
	case errors.Is(err, lifecycle.ErrNoService), errors.Is(err, lifecycle.ErrNoRevision):
		return contract.Refuse(http.StatusNotFound, "not_found", err.Error())
	case reason.Of(err) == reason.Conflict:
		return contract.Refuse(http.StatusConflict, "conflict", "the service was changed meanwhile: try again")
	case errors.Is(err, lifecycle.ErrOutside):
		return contract.Refuse(http.StatusServiceUnavailable, "kubernetes_unavailable", err.Error())
	}
	return contract.Refuse(http.StatusServiceUnavailable, "kubernetes_unavailable", "Kubernetes did not do it: "+reason.Of(err))
}

// outcome tells what was refused from what failed.
func outcome(p *contract.Problem) string {
	if p.Status == http.StatusNotFound || p.Status == http.StatusConflict {
		return postgres.Refused
	}
	return postgres.Failed
}
