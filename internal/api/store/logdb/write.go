package logdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/logstore"
	"zr/pkg/logline"
)

// open is the partition that is written.
type open struct{ number, lines, bytes int64 }

// Append implements logstore.Store.
func (s *Store) Append(ctx context.Context, b logstore.Batch) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	made := map[sourceKey]int32{}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		clear(made) // of an attempt that failed
		return s.append(ctx, tx, b, made)
	})
	if errors.Is(err, logstore.ErrDeposed) {
		return err
	}
	if err != nil {
		return fmt.Errorf("storing %d log lines: %w", len(b.Lines), classify(err))
	}
	for key, id := range made {
		s.ids[key] = id
	}
	return nil
}

func (s *Store) append(ctx context.Context, tx pgx.Tx, b logstore.Batch, made map[sourceKey]int32) error {
	// Shared: a new leader waits for this transaction to end before it reads the
	// cursors, and this one ends when it comes second.
	var epoch int64
	if err := tx.QueryRow(ctx, "SELECT epoch FROM log_collectors WHERE environment = $1 FOR SHARE", b.Environment).Scan(&epoch); err != nil {
		return err
	}
	if epoch != b.Epoch {
		return logstore.ErrDeposed
	}
	if err := s.makeSources(ctx, tx, b, made); err != nil {
		return err
	}
	if len(b.Lines) > 0 {
		if err := s.copyLines(ctx, tx, b, made); err != nil {
			return err
		}
	}
	var rest pgx.Batch
	for container, cursor := range b.Cursors {
		rest.Queue(`INSERT INTO log_cursors (environment, pod_uid, container, position) VALUES ($1, $2, $3, $4)
			ON CONFLICT (environment, pod_uid, container) DO UPDATE SET position = EXCLUDED.position, updated_at = now()`,
			b.Environment, container.PodUID, container.Name, cursor.Bytes())
	}
	return tx.SendBatch(ctx, &rest).Close()
}

func keyOf(environment string, l *logline.Line) sourceKey {
	return sourceKey{environment, l.Service, l.Pod, l.Container}
}

// makeSources adds those of a batch that have no id yet.
func (s *Store) makeSources(ctx context.Context, tx pgx.Tx, b logstore.Batch, made map[sourceKey]int32) error {
	for _, l := range b.Lines {
		key := keyOf(b.Environment, l)
		if s.ids[key] != 0 || made[key] != 0 {
			continue
		}
		var id int32
		err := tx.QueryRow(ctx, `INSERT INTO log_sources (environment, service, pod, container) VALUES ($1, $2, $3, $4)
			ON CONFLICT (environment, service, pod, container) DO UPDATE SET service = EXCLUDED.service RETURNING id`,
			key.environment, key.service, key.pod, key.container).Scan(&id)
		if err != nil {
			return err
		}
		made[key] = id
	}
	return nil
}

// countKey is a row of log_counts.
type countKey struct {
	minute int64
	source int32
	level  int16
}

// copyLines writes lines into the open partition, and what is known of it.
func (s *Store) copyLines(ctx context.Context, tx pgx.Tx, b logstore.Batch, made map[sourceKey]int32) error {
	into, err := s.openPartition(ctx, tx, b)
	if err != nil {
		return err
	}
	first, last := b.Lines[0].Time, b.Lines[0].Time
	counts, bytes, highest := map[countKey]int64{}, int64(0), int64(0)
	source := func(l *logline.Line) int32 {
		key := keyOf(b.Environment, l)
		if id := made[key]; id != 0 {
			return id
		}
		return s.ids[key]
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{table(into.number)},
		[]string{"id", "at", "source", "message_bytes", "skipped", "level", "text", "styles"},
		pgx.CopyFromSlice(len(b.Lines), func(i int) ([]any, error) {
			l := b.Lines[i]
			text, level := l.Text(), levelOf(l)
			if l.Time.Before(first) {
				first = l.Time
			}
			if l.Time.After(last) {
				last = l.Time
			}
			key := countKey{l.Time.Unix() / 60 * 60, source(l), level}
			counts[key] += int64(max(1, l.Skipped))
			bytes += int64(len(text))
			highest = max(highest, l.ID)
			return []any{l.ID, l.Time, key.source, messageBytes(l), skippedOf(l), level, text, stylesOf(l)}, nil
		}))
	if err != nil {
		return err
	}
	lines := into.lines + int64(len(b.Lines))
	bytes += into.bytes
	full := lines >= s.limits.Lines || bytes >= s.limits.Bytes
	var rest pgx.Batch
	rest.Queue(`UPDATE log_partitions SET last_id = greatest(last_id, $2), first_at = least(first_at, $3), last_at = greatest(last_at, $4),
		lines = $5, bytes = $6, sealed_at = CASE WHEN $7 OR opened_at < $8 THEN now() END WHERE number = $1`,
		into.number, highest, first, last, lines, bytes, full, time.Now().Add(-s.limits.Span))
	for key, n := range counts {
		rest.Queue(`INSERT INTO log_counts AS c (partition, minute, source, level, lines) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (partition, minute, source, level) DO UPDATE SET lines = c.lines + EXCLUDED.lines`,
			into.number, time.Unix(key.minute, 0), key.source, key.level, n)
	}
	return tx.SendBatch(ctx, &rest).Close()
}

// openPartition returns the one that is written, made where there is none. Its
// indexes keep the order of what is appended, which costs little while writing.
func (s *Store) openPartition(ctx context.Context, tx pgx.Tx, b logstore.Batch) (p open, err error) {
	err = tx.QueryRow(ctx, "SELECT number, lines, bytes FROM log_partitions WHERE environment = $1 AND sealed_at IS NULL", b.Environment).
		Scan(&p.number, &p.lines, &p.bytes)
	if !errors.Is(err, pgx.ErrNoRows) {
		return p, err
	}
	first := b.Lines[0]
	err = tx.QueryRow(ctx, `INSERT INTO log_partitions (environment, first_id, last_id, first_at, last_at, lines, bytes)
		VALUES ($1, $2, $2, $3, $3, 0, 0) RETURNING number`, b.Environment, first.ID, first.Time).Scan(&p.number)
	if err != nil {
		return p, err
	}
	name := table(p.number)
	for _, statement := range []string{
		// In the order that needs no padding.
		"CREATE TABLE " + name + ` (id bigint NOT NULL, at timestamptz NOT NULL, source integer NOT NULL, message_bytes integer, skipped integer,
			level smallint NOT NULL, text text NOT NULL, styles text)`,
		"CREATE INDEX " + name + "_at ON " + name + " (at)",
		"CREATE INDEX " + name + "_source ON " + name + " (source, at)",
		fmt.Sprintf("CREATE INDEX %s_level ON %s (at) WHERE level >= %d", name, name, levelWarning),
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return p, err
		}
	}
	return p, nil
}

// messageBytes tells where the message ends and the fields begin; nil where
// there are none.
func messageBytes(l *logline.Line) *int32 {
	if len(l.Fields) == 0 {
		return nil
	}
	n := int32(len(l.Message))
	return &n
}

func skippedOf(l *logline.Line) *int32 {
	if l.Skipped == 0 {
		return nil
	}
	n := int32(l.Skipped)
	return &n
}

// stylesOf writes "0:1;31 3:0"; nil where there are none.
func stylesOf(l *logline.Line) *string {
	if len(l.Styles) == 0 {
		return nil
	}
	var b strings.Builder
	for i, style := range l.Styles {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(style.At))
		b.WriteByte(':')
		b.WriteString(style.Code)
	}
	text := b.String()
	return &text
}

func parseStyles(text string) []logline.Style {
	var styles []logline.Style
	for part := range strings.FieldsSeq(text) {
		at, code, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(at)
		if err != nil {
			return nil // not written by stylesOf
		}
		styles = append(styles, logline.Style{At: n, Code: code})
	}
	return styles
}
