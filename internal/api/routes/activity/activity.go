// Package activity reads the audit log: who did what, and what was refused.
package activity

import (
	"context"
	"log/slog"
	"net/http"

	"zr/internal/api/contract"
	"zr/internal/api/store/postgres"
)

// Source is where the records are. *postgres.Store is one.
type Source interface {
	AuditLog(ctx context.Context, f postgres.AuditFilter, before int64, limit int) ([]postgres.AuditRecord, error)
}

type routes struct {
	source Source
	log    *slog.Logger
}

// Add adds the routes.
func Add(a *contract.API, source Source, log *slog.Logger) {
	r := &routes{source, log}
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Viewer},
		ID:    "listActivity", Method: http.MethodGet, Path: contract.Base + "/activity", Group: "activity",
		Summary:  "The audit log, newest first",
		Refusals: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, r.list)
}

type listInput struct {
	contract.Page
	Actor   string `query:"actor" maxLength:"200" pattern:"^[ -~]*$" doc:"Only what this caller did."`
	Action  string `query:"action" maxLength:"64" pattern:"^[A-Za-z]*$" doc:"Only this action."`
	Target  string `query:"target" maxLength:"253" pattern:"^[ -~]*$" doc:"Only what was done to this."`
	Outcome string `query:"outcome" enum:"done,refused,failed"`
}

// Activity is a page of the audit log.
type Activity struct {
	Records []postgres.AuditRecord `json:"records"`
	Next    string                 `json:"next,omitempty" doc:"The cursor of the page after this one."`
}

type listOutput struct{ Body Activity }

func (r *routes) list(ctx context.Context, in *listInput) (*listOutput, error) {
	before, err := in.Before()
	if err != nil {
		return nil, err
	}
	records, err := r.source.AuditLog(ctx, postgres.AuditFilter{Actor: in.Actor, Action: in.Action, Target: in.Target, Outcome: in.Outcome}, before, in.Limit)
	if err != nil {
		r.log.Warn("the audit log was not read", "error", err, "requestId", contract.RequestID(ctx))
		return nil, contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer")
	}
	page := Activity{Records: append([]postgres.AuditRecord{}, records...)} // an empty list is [] in JSON
	if len(records) > 0 {
		page.Next = in.Next(len(records), records[len(records)-1].ID)
	}
	return &listOutput{page}, nil
}
