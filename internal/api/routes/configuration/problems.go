package configuration

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"zr/internal/api/access"
	"zr/internal/api/configuration"
	"zr/internal/api/contract"
	"zr/internal/api/lifecycle"
	"zr/internal/api/reason"
	devroutes "zr/internal/api/routes/dev"
	"zr/internal/api/store/postgres"
	"zr/pkg/devattach"
)

// key is under what the result of a request is kept; empty where it has no key.
func (r *routes) key(ctx context.Context, action, target, key string) string {
	if key == "" {
		return ""
	}
	return "action:" + access.From(ctx).Name + ":" + action + ":" + target + ":" + key
}

// record adds what was done, and ended with err, to the audit log, and returns what it is
// answered with.
func (r *routes) record(ctx context.Context, record postgres.AuditRecord, err error) error {
	record.Outcome = postgres.Done
	if err != nil {
		p := r.failed(ctx, record.Action, err)
		if record.Outcome = postgres.Failed; p.Status < http.StatusInternalServerError {
			record.Outcome = postgres.Refused
		}
		record.Detail, err = strings.TrimPrefix(record.Detail+": "+p.Detail, ": "), p
	}
	return r.gate.RecordAct(ctx, record, err)
}

// revisionDetail is what the audit log has of a change: keys, and no values.
func revisionDetail(made configuration.Written) string {
	if made.Revision == 0 {
		return ""
	}
	var keys []string
	for _, change := range made.Changes {
		keys = append(keys, change.Key)
	}
	detail := "revision " + strconv.FormatInt(made.Revision, 10)
	if made.File != "" {
		detail += " by zr dev in " + made.File
	}
	if len(keys) > 0 {
		detail += ": " + strings.Join(keys, ", ")
	}
	return detail
}

// failed says what an error is answered with, and logs it.
func (r *routes) failed(ctx context.Context, doing string, err error) *contract.Problem {
	r.log.Warn("the configuration", "doing", doing, "error", err, "requestId", contract.RequestID(ctx))
	return problem(err)
}

func problem(err error) *contract.Problem {
	if missing, is := errors.AsType[*configuration.MissingError](err); is {
		p := contract.Refuse(http.StatusUnprocessableEntity, "setting_required", missing.Error())
		for _, key := range missing.Keys {
			p.Errors = append(p.Errors, contract.Fault{Location: "body.text", Message: "a pod does not start without " + key})
		}
		return p
	}
	if volumes, is := errors.AsType[*configuration.VolumesError](err); is {
		p := contract.Refuse(http.StatusConflict, "confirm_required", volumes.Error()+"; confirm=true does it all the same")
		p.Dependents = volumes.Workloads
		return p
	}
	if late, is := errors.AsType[*lifecycle.NotThere](err); is {
		return contract.Refuse(http.StatusGatewayTimeout, "not_in_effect", late.Error())
	}
	if handed, is := errors.AsType[*configuration.HandedError](err); is {
		p := devroutes.Problem(handed.Err)
		p.Detail = handed.Known + ": " + p.Detail
		return p
	}
	if failed, is := errors.AsType[*devattach.Failure](err); is {
		return devroutes.Problem(failed)
	}
	switch {
	case errors.Is(err, configuration.ErrChanged):
		return contract.Refuse(http.StatusPreconditionFailed, "changed_meanwhile", configuration.ErrChanged.Error())
	case errors.Is(err, configuration.ErrNone), errors.Is(err, configuration.ErrNoSecret), errors.Is(err, postgres.ErrNoRevision):
		return contract.Refuse(http.StatusNotFound, "not_found", err.Error())
	case errors.Is(err, configuration.ErrNotOurs):
		return contract.Refuse(http.StatusConflict, "not_ours", err.Error())
	case errors.Is(err, configuration.ErrOutside):
		return contract.Refuse(http.StatusServiceUnavailable, "kubernetes_unavailable", err.Error())
	}
	if refused, is := errors.AsType[*configuration.RefusedError](err); is {
		p := contract.Refuse(http.StatusUnprocessableEntity, "refused_by_cluster", "the API server does not take it")
		p.Errors = []contract.Fault{{Location: refused.Object, Message: refused.Err.Error()}}
		return p
	}
	if _, is := errors.AsType[*configuration.StoreError](err); is {
		return contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer: "+reason.Of(err))
	}
	return contract.Refuse(http.StatusServiceUnavailable, "kubernetes_unavailable", "Kubernetes did not do it: "+reason.Of(err))
}
