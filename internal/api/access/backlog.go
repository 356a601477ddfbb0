package access

import (
	"context"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/store/postgres"
)

const (
	// maxBacklog bounds the records that wait for the database: some 1 MB.
	maxBacklog = 2000
	// retryEvery is how often those are tried again.
	retryEvery = time.Second
)

// Record adds a record of the caller of ctx, or of the actor that it names. While the
// database is away it waits; the log has it too then, for a process that ends before.
func (g *Gate) Record(ctx context.Context, record postgres.AuditRecord) {
	if record.Actor == "" {
		record.Actor = From(ctx).Name
	}
	record.RequestID = contract.RequestID(ctx)
	record.At = time.Now().UTC()
	g.mu.Lock()
	waits := len(g.backlog) > 0
	g.mu.Unlock()
	var err error
	if !waits {
		// What was done is recorded also where its caller has gone.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditDeadline)
		defer cancel()
		if err = g.store.Audit(ctx, record); err == nil {
			return
		}
	}
	what := "it waits for the audit log"
	g.mu.Lock()
	if len(g.backlog) < maxBacklog {
		g.backlog = append(g.backlog, record)
	} else {
		what = "not in the audit log: too many wait for it"
	}
	g.mu.Unlock()
	g.log.Warn(what, "error", err, "actor", record.Actor, "action", record.Action, "target", record.Target,
		"outcome", record.Outcome, "detail", record.Detail, "requestId", record.RequestID)
}

// Waiting is how many records wait for the database.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.backlog)
}

// Run writes what waits, in its order, until ctx ends, and once more then.
func (g *Gate) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
		g.flush(context.WithoutCancel(ctx))
	}
}

func (g *Gate) flush(ctx context.Context) {
	for {
		g.mu.Lock()
		waiting := g.backlog
		g.mu.Unlock()
		if len(waiting) == 0 {
			return
		}
		writing, cancel := context.WithTimeout(ctx, auditDeadline)
		err := g.store.Audit(writing, waiting[0])
		cancel()
		if err != nil {
			return // in a second again
		}
		g.mu.Lock()
		g.backlog = g.backlog[1:]
		g.mu.Unlock()
	}
}
