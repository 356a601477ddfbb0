package logdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/logstore"
	"zr/pkg/logline"
)

// columns are what scan reads.
const columns = "l.id, l.at, l.source, l.message_bytes, coalesce(l.skipped, 0), l.level, l.text, coalesce(l.styles, '')"

// row is a line as it is stored.
type row struct {
	line         *logline.Line
	source       int32
	messageBytes *int32
	level        int16
	text, styles string
}

// into returns where Scan puts columns.
func (r *row) into() []any {
	r.line = &logline.Line{}
	return []any{&r.line.ID, &r.line.Time, &r.source, &r.messageBytes, &r.line.Skipped, &r.level, &r.text, &r.styles}
}

// record puts a row together, all but its source.
func (r *row) record() *logline.Line {
	l := r.line
	l.Time = l.Time.UTC()
	l.Level, l.Message, l.Styles = levels[r.level], r.text, parseStyles(r.styles)
	if r.messageBytes != nil {
		n := int(*r.messageBytes)
		l.Message = r.text[:n]
		l.Fields = logline.SplitFields(r.text[n:])
	}
	return l
}

// collect reads rows of columns, after extra ones that each row is told of.
func (s *Store) collect(ctx context.Context, rows pgx.Rows, extra []any, each func(*logline.Line)) error {
	var lines []*logline.Line
	var sources []int32
	for rows.Next() {
		var r row
		if err := rows.Scan(append(extra[:len(extra):len(extra)], r.into()...)...); err != nil {
			rows.Close()
			return err
		}
		l := r.record()
		lines, sources = append(lines, l), append(sources, r.source)
		each(l)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return s.name(ctx, lines, sources)
}

// name adds to lines who wrote them.
func (s *Store) name(ctx context.Context, lines []*logline.Line, sources []int32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := map[int32]struct{}{}
	for _, id := range sources {
		if _, known := s.sources[id]; !known {
			unknown[id] = struct{}{}
		}
	}
	if len(unknown) > 0 {
		ids := make([]int32, 0, len(unknown))
		for id := range unknown {
			ids = append(ids, id)
		}
		rows, err := s.pool.Query(ctx, "SELECT id, environment, service, pod, container FROM log_sources WHERE id = ANY($1)", ids)
		if err != nil {
			return err
		}
		var id int32
		var key sourceKey
		if _, err := pgx.ForEachRow(rows, []any{&id, &key.environment, &key.service, &key.pod, &key.container}, func() error {
			s.sources[id] = key
			return nil
		}); err != nil {
			return err
		}
	}
	for i, l := range lines {
		key := s.sources[sources[i]]
		l.Service, l.Pod, l.Container = key.service, key.pod, key.container
	}
	return nil
}

// query is a statement and its arguments.
type query struct {
	sql  strings.Builder
	args []any
}

// arg returns the placeholder of a value.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

// sourcesOf returns the ids of the containers of services; nil for all.
func (s *Store) sourcesOf(ctx context.Context, environment string, services []string) ([]int32, error) {
	if len(services) == 0 {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, "SELECT id FROM log_sources WHERE environment = $1 AND service = ANY($2)", environment, services)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if ids == nil {
		ids = []int32{} // none, which is not all
	}
	return ids, err
}

// counted adds the conditions of a scope on rows of log_counts named c.
func counted(q *query, scope logstore.Scope, sources []int32) {
	if sources != nil {
		q.sql.WriteString(" AND c.source = ANY(" + q.arg(sources) + ")")
	}
	if wanted := atLeast(scope.Level); wanted != nil {
		q.sql.WriteString(" AND c.level = ANY(" + q.arg(wanted) + ")")
	}
	if !scope.From.IsZero() {
		q.sql.WriteString(" AND c.minute >= " + q.arg(scope.From.Truncate(time.Minute)))
	}
	if !scope.To.IsZero() {
		q.sql.WriteString(" AND c.minute <= " + q.arg(scope.To))
	}
}

// Partitions implements logstore.Store.
func (s *Store) Partitions(ctx context.Context, environment string, scope logstore.Scope) ([]logstore.Partition, error) {
	fail := func(err error) ([]logstore.Partition, error) {
		return nil, fmt.Errorf("reading the partitions of logs: %w", classify(err))
	}
	sources, err := s.sourcesOf(ctx, environment, scope.Services)
	if err != nil {
		return fail(err)
	}
	var q query
	q.sql.WriteString("SELECT p.number, p.first_at, p.last_at FROM log_partitions p WHERE p.environment = " + q.arg(environment))
	q.sql.WriteString(" AND EXISTS (SELECT FROM log_counts c WHERE c.partition = p.number")
	counted(&q, scope, sources)
	q.sql.WriteString(")")
	rows, err := s.pool.Query(ctx, q.sql.String(), q.args...)
	if err != nil {
		return fail(err)
	}
	partitions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[logstore.Partition])
	if err != nil {
		return fail(err)
	}
	return partitions, nil
}

// Candidates implements logstore.Store.
func (s *Store) Candidates(ctx context.Context, environment string, p logstore.Partition, scope logstore.Scope, beyond *logstore.Position, limit int) ([]*logline.Line, error) {
	fail := func(err error) ([]*logline.Line, error) {
		if isUndefined(err) {
			return nil, nil // dropped since it was listed
		}
		return nil, fmt.Errorf("searching a partition of logs: %w", classify(err))
	}
	sources, err := s.sourcesOf(ctx, environment, scope.Services)
	if err != nil {
		return fail(err)
	}
	order, compare := "DESC", "<"
	if scope.Oldest {
		order, compare = "ASC", ">"
	}
	var q query
	q.sql.WriteString("SELECT " + columns + " FROM " + table(p.Number) + " l WHERE true")
	if !scope.From.IsZero() {
		q.sql.WriteString(" AND l.at >= " + q.arg(scope.From))
	}
	if !scope.To.IsZero() {
		q.sql.WriteString(" AND l.at <= " + q.arg(scope.To))
	}
	if beyond != nil {
		fmt.Fprintf(&q.sql, " AND (l.at, l.id) %s (%s, %s)", compare, q.arg(beyond.At), q.arg(beyond.ID))
	}
	if sources != nil {
		q.sql.WriteString(" AND l.source = ANY(" + q.arg(sources) + ")")
	}
	if wanted := atLeast(scope.Level); wanted != nil {
		q.sql.WriteString(" AND l.level = ANY(" + q.arg(wanted) + ")")
		if wanted[0] >= levelWarning {
			fmt.Fprintf(&q.sql, " AND l.level >= %d", levelWarning) // for the index of these
		}
	}
	if len(scope.AnyOf) > 0 {
		q.sql.WriteString(" AND " + containing(&q, scope.AnyOf))
	}
	fmt.Fprintf(&q.sql, " ORDER BY l.at %s, l.id %s LIMIT %d", order, order, limit)
	rows, err := s.pool.Query(ctx, q.sql.String(), q.args...)
	if err != nil {
		return fail(err)
	}
	var lines []*logline.Line
	if err := s.collect(ctx, rows, nil, func(l *logline.Line) { lines = append(lines, l) }); err != nil {
		return fail(err)
	}
	return lines, nil
}

// containing is the condition that a line has all texts of one alternative.
func containing(q *query, anyOf [][]string) string {
	var alternatives []string
	for _, all := range anyOf {
		var parts []string
		for _, text := range all {
			parts = append(parts, "l.text ILIKE "+q.arg("%"+likeEscape.Replace(text)+"%"))
		}
		alternatives = append(alternatives, "("+strings.Join(parts, " AND ")+")")
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// After implements logstore.Store.
func (s *Store) After(ctx context.Context, environment string, id int64, limit int) ([]*logline.Line, error) {
	fail := func(err error) ([]*logline.Line, error) {
		return nil, fmt.Errorf("reading log lines after id %d: %w", id, classify(err))
	}
	rows, err := s.pool.Query(ctx, "SELECT number FROM log_partitions WHERE environment = $1 AND last_id > $2 ORDER BY first_id", environment, id)
	if err != nil {
		return fail(err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fail(err)
	}
	var lines []*logline.Line
	for _, number := range numbers {
		rows, err := s.pool.Query(ctx, "SELECT "+columns+" FROM "+table(number)+" l WHERE l.id > $1 ORDER BY l.id LIMIT $2", id, limit-len(lines))
		if err != nil {
			return fail(err)
		}
		err = s.collect(ctx, rows, nil, func(l *logline.Line) { lines = append(lines, l) })
		if isUndefined(err) {
			continue // dropped since
		}
		if err != nil {
			return fail(err)
		}
		if len(lines) >= limit {
			break
		}
	}
	return lines, nil
}
