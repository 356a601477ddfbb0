package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// AuditRecord says who did what, and how it went.
type AuditRecord struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	Actor     string    `json:"actor" doc:"Who: the name of a session or token, or an address."`
	Action    string    `json:"action" doc:"What: a route's id, such as stopService."`
	Target    string    `json:"target" doc:"What it was done to, such as the name of a service."`
	Outcome   string    `json:"outcome" enum:"done,refused,failed"`
	Detail    string    `json:"detail,omitempty"`
	RequestID string    `json:"requestId"`
}

// The outcomes of an AuditRecord.
const (
	Done    = "done"
	Refused = "refused"
	Failed  = "failed"
)

// AuditFilter chooses records; an empty field chooses all.
type AuditFilter struct{ Actor, Action, Target, Outcome string }

// Audit adds a record. Its ID is that of the database.
func (s *Store) Audit(ctx context.Context, r AuditRecord) error {
	if err := s.ready(); err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	_, err := s.pool.Exec(ctx, "INSERT INTO audit (at, actor, action, target, outcome, detail, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		r.At, r.Actor, r.Action, r.Target, r.Outcome, r.Detail, r.RequestID)
	if err != nil {
		return fmt.Errorf("writing the audit log: %w", classify(err))
	}
	return nil
}

// AuditLog returns the last limit records that a filter chooses, newest first;
// where before is not 0, only those whose ids are below it.
func (s *Store) AuditLog(ctx context.Context, f AuditFilter, before int64, limit int) ([]AuditRecord, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	rows, err := s.pool.Query(ctx, `
SELECT id, at, actor, action, target, outcome, detail, request_id FROM audit
WHERE ($1 = '' OR actor = $1) AND ($2 = '' OR action = $2) AND ($3 = '' OR target = $3) AND ($4 = '' OR outcome = $4) AND ($5 = 0 OR id < $5)
ORDER BY id DESC LIMIT $6`, f.Actor, f.Action, f.Target, f.Outcome, before, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", classify(err))
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AuditRecord])
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", classify(err))
	}
	return records, nil
}
