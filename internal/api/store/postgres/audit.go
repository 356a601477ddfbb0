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

	// Key is what the database knows a record by that is sent again, and what was changed
	// in the cluster names it by. Only Acts reads it; without one Gate.Record makes one.
	Key [16]byte `json:"-" db:"-"`
}

// The outcomes of an AuditRecord.
const (
	Done    = "done"
	Refused = "refused"
	Failed  = "failed"
)

// AuditFilter chooses records; an empty field chooses all.
type AuditFilter struct{ Actor, Action, Target, Outcome string }

// Audit adds records in their order, all or none. One that is there already, by its Key, is
// not added again: the answer to an earlier attempt may have been lost.
func (s *Store) Audit(ctx context.Context, all ...AuditRecord) error {
	if err := s.ready(); err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	keys, at := make([][16]byte, len(all)), make([]time.Time, len(all))
	var columns [6][]string
	for i, r := range all {
		keys[i], at[i] = r.Key, r.At
		for c, text := range []string{r.Actor, r.Action, r.Target, r.Outcome, r.Detail, r.RequestID} {
			columns[c] = append(columns[c], text)
		}
	}
	_, err := s.pool.Exec(ctx, `
INSERT INTO audit (key, at, actor, action, target, outcome, detail, request_id)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
ON CONFLICT (key) DO NOTHING`, keys, at, columns[0], columns[1], columns[2], columns[3], columns[4], columns[5])
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
