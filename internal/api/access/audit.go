package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/store/postgres"
)

const (
	// maxBacklog bounds the records that wait for the database: some 1 MB.
	maxBacklog = 2000
	// retryEvery is how often those are tried again.
	retryEvery = time.Second
	// recordDeadline bounds the writing of a refusal, which is not to be slow: a class
	// allows five seconds at least.
	recordDeadline = 2 * time.Second
	// actDeadline bounds the writing of an act, which a class keeps five seconds for.
	actDeadline = 4 * time.Second
	// actRetry is how often it is tried again within them.
	actRetry = 100 * time.Millisecond
	// skippedEvery is how often it is recorded how many were skipped, where some were.
	skippedEvery = 10 * time.Second
)

// How many refusals are recorded in a second, and at once. Those above are in the
// log, and counted: whoever is refused must not fill the disk.
const (
	refusalsPerSecond = 10
	refusalsAtOnce    = 100
)

// longest is how much of a path is recorded.
const longest = 200

var errNotRecorded = contract.Refuse(http.StatusServiceUnavailable, "not_recorded", "it was done, and the database has not taken the record of it: it is in the audit log when the database is back, unless the api ends before")

// audit is what has to get into the audit log.
type audit struct {
	writing chan struct{} // whoever writes puts something into it
	waiting []*entry      // in their order, guarded by Gate.mu
	skipped int64         // how many ever, guarded by Gate.mu
}

// entry is a record, until it is stored.
type entry struct {
	postgres.AuditRecord
	stored bool // guarded by writing
}

// Refused records that a request was refused. Without a name the caller is its
// address.
func (g *Gate) Refused(r *http.Request, name string, p *contract.Problem) {
	if name == "" {
		name, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	record := postgres.AuditRecord{Actor: name, Action: r.Method, Target: r.URL.Path[:min(len(r.URL.Path), longest)], Outcome: postgres.Refused, Detail: p.Detail}
	if !g.refusals.Allow() {
		g.skip(g.entry(r.Context(), record), "there are too many refusals")
		return
	}
	g.Record(r.Context(), record)
}

// Record adds a record of the caller of ctx, or of the actor that it names. Where the
// database does not take it within two seconds it waits in memory, and the log has it for
// a process that ends before.
func (g *Gate) Record(ctx context.Context, record postgres.AuditRecord) {
	e := g.entry(ctx, record)
	if !g.keep(e) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordDeadline)
	defer cancel()
	if err := g.write(ctx, e); err != nil {
		g.log.Warn("a record waits for the audit log", e.attributes("error", err)...)
	}
}

// RecordAct adds a record of what was tried and ended with err, and returns what is to be
// answered: err, or that the act is not recorded. That is never answered as done.
func (g *Gate) RecordAct(ctx context.Context, record postgres.AuditRecord, err error) error {
	e := g.entry(ctx, record)
	if g.keep(e) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actDeadline)
		defer cancel()
		unwritten := g.writeAtLast(ctx, e)
		if unwritten == nil {
			return err
		}
		g.log.Warn("a record waits for the audit log", e.attributes("error", unwritten)...)
	}
	if err != nil {
		return err
	}
	return errNotRecorded
}

// entry completes a record. PostgreSQL holds neither NUL nor what is not UTF-8, which
// names and paths of strangers may have.
func (g *Gate) entry(ctx context.Context, record postgres.AuditRecord) *entry {
	if record.Actor == "" {
		record.Actor = From(ctx).Name
	}
	for _, text := range []*string{&record.Actor, &record.Target, &record.Detail} {
		*text = strings.ToValidUTF8(strings.ReplaceAll(*text, "\x00", ""), "")
	}
	record.RequestID = contract.RequestID(ctx)
	record.At = time.Now().UTC()
	if record.Key == ([16]byte{}) {
		_, _ = rand.Read(record.Key[:]) // never fails
	}
	return &entry{AuditRecord: record}
}

// attributes are an entry for the log, after some others.
func (e *entry) attributes(others ...any) []any {
	return append(others, "actor", e.Actor, "action", e.Action, "target", e.Target, "outcome", e.Outcome, "detail", e.Detail, "requestId", e.RequestID)
}

// keep has an entry wait, where there is room for it.
func (g *Gate) keep(e *entry) bool {
	g.mu.Lock()
	room := len(g.audit.waiting) < maxBacklog
	if room {
		g.audit.waiting = append(g.audit.waiting, e)
	}
	g.mu.Unlock()
	if !room {
		g.skip(e, "too many wait for the database")
	}
	return room
}

// skip counts a record that is not to be in the audit log.
func (g *Gate) skip(e *entry, why string) {
	g.mu.Lock()
	g.audit.skipped++
	g.mu.Unlock()
	g.log.Warn("a record is not in the audit log", e.attributes("reason", why)...)
}

// Audited is how many records wait for the database, and how many ever were skipped.
func (g *Gate) Audited() (waiting int, skipped int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.audit.waiting), g.audit.skipped
}

// write writes all that waits, in its order, unless somebody else has written e
// meanwhile.
func (g *Gate) write(ctx context.Context, e *entry) error {
	select {
	case g.audit.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-g.audit.writing }()
	if e.stored {
		return nil
	}
	return g.flush(ctx)
}

// writeAtLast tries to write again and again until ctx ends.
func (g *Gate) writeAtLast(ctx context.Context, e *entry) error {
	for {
		err := g.write(ctx, e)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(actRetry):
		}
	}
}

// flush writes all that waits; writing is held.
func (g *Gate) flush(ctx context.Context) error {
	g.mu.Lock()
	waiting := g.audit.waiting
	g.mu.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	records := make([]postgres.AuditRecord, len(waiting))
	for i, e := range waiting {
		records[i] = e.AuditRecord
	}
	if err := g.store.Audit(ctx, records...); err != nil {
		return err
	}
	for _, e := range waiting {
		e.stored = true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.audit.waiting = g.audit.waiting[len(waiting):]
	return nil
}

// Run writes what waits until ctx ends, and at last then, and records how many were
// skipped.
func (g *Gate) Run(ctx context.Context) {
	told, lately := int64(0), time.Now()
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-time.After(retryEvery):
		}
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordDeadline)
		write := g.write
		if ended {
			write = g.writeAtLast
		}
		err := write(writing, &entry{}) // otherwise in a second again
		if _, skipped := g.Audited(); err == nil && skipped > told && (ended || time.Since(lately) > skippedEvery) {
			g.Record(writing, postgres.AuditRecord{Actor: "zr-api", Action: "audit", Outcome: postgres.Failed,
				Detail: fmt.Sprintf("%d records are in the log of the api alone: there were too many", skipped-told)})
			told, lately = skipped, time.Now()
		}
		cancel()
	}
}
