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

// columns are what into reads.
const columns = "l.id, l.at, l.source, coalesce(l.message_bytes, -1), coalesce(l.skipped, 0), l.level, l.text, coalesce(l.styles, '')"

// inBinary is for what has many or large values: as text, which is how this pool asks
// otherwise, they would be twice as large and take twice the time. It costs a round trip
// for each statement that is new to a connection.
const inBinary = pgx.QueryExecModeCacheDescribe

// into returns where Scan puts columns.
func (r *stored) into() []any {
	return []any{&r.id, &r.at, &r.source, &r.messageBytes, &r.skipped, &r.level, &r.text, &r.styles}
}

// collect passes on rows of columns, after extra ones that each row is told of.
func collect(rows pgx.Rows, extra []any, each func(*stored)) error {
	defer rows.Close()
	var r stored
	into := append(extra, r.into()...)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		each(&r)
	}
	return rows.Err()
}

// lines puts lines together, with who wrote them.
func (s *Store) lines(ctx context.Context, found []stored) ([]*logline.Line, error) {
	lines := make([]*logline.Line, len(found))
	for i := range found {
		lines[i] = found[i].line()
	}
	return lines, s.name(ctx, lines, found)
}

// name adds to lines who wrote them.
func (s *Store) name(ctx context.Context, lines []*logline.Line, found []stored) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := map[int32]struct{}{}
	for _, r := range found {
		if _, known := s.sources[r.source]; !known {
			unknown[r.source] = struct{}{}
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
		key := s.sources[found[i].source]
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
	w := wantedOf(scope.AnyOf)
	var q query
	q.sql.WriteString(`SELECT p.number, p.first_at, p.last_at, p.blocks, coalesce((
			SELECT string_agg(substring(p.grams FROM ((h & octet_length(p.grams) / 4 - 1) * 4 + 1)::integer FOR 4), ''::bytea ORDER BY n)
			FROM unnest(` + q.arg(w.all) + `::bigint[]) WITH ORDINALITY AS w (h, n)), '')
		FROM log_partitions p WHERE p.environment = ` + q.arg(environment))
	q.sql.WriteString(" AND EXISTS (SELECT FROM log_counts c WHERE c.partition = p.number")
	counted(&q, scope, sources)
	q.sql.WriteString(")")
	rows, err := s.pool.Query(ctx, q.sql.String(), q.args...)
	if err != nil {
		return fail(err)
	}
	var partitions []logstore.Partition
	var p logstore.Partition
	var blocks int
	var masks []byte
	if _, err := pgx.ForEachRow(rows, []any{&p.Number, &p.FirstAt, &p.LastAt, &blocks, &masks}, func() error {
		if p.Blocks = 0; blocks > 0 {
			if p.Blocks = w.blocks(masks) & (1<<blocks - 1); p.Blocks == 0 {
				return nil
			}
		}
		partitions = append(partitions, p)
		return nil
	}); err != nil {
		return fail(err)
	}
	return partitions, nil
}

// Candidates implements logstore.Store.
func (s *Store) Candidates(ctx context.Context, environment string, p logstore.Partition, scope logstore.Scope, beyond *logstore.Position, limit int) ([]*logline.Line, *logstore.Position, error) {
	fail := func(err error) ([]*logline.Line, *logstore.Position, error) {
		return nil, nil, fmt.Errorf("searching a partition of logs: %w", classify(err))
	}
	sources, err := s.sourcesOf(ctx, environment, scope.Services)
	if err != nil {
		return fail(err)
	}
	l := look{scope, sources, atLeast(scope.Level), beyond, limit}
	var found []stored
	var next *logstore.Position
	if p.Blocks == 0 {
		found, next, err = s.fromTable(ctx, p.Number, l)
	}
	if p.Blocks != 0 || isUndefined(err) { // it was packed since it was listed, or dropped
		found, next, err = s.fromBlocks(ctx, p, l)
	}
	if err != nil {
		return fail(err)
	}
	lines, err := s.lines(ctx, found)
	if err != nil {
		return fail(err)
	}
	return lines, next, nil
}

// look is what is looked for in a partition.
type look struct {
	logstore.Scope

	sources []int32 // nil: all
	levels  []int16 // nil: all
	beyond  *logstore.Position
	limit   int
}

// fromTable looks through the table of a partition.
func (s *Store) fromTable(ctx context.Context, number int64, l look) (found []stored, next *logstore.Position, err error) {
	wants, err := newMatchers(l.Expressions)
	if err != nil {
		return nil, nil, err
	}
	order, compare := "DESC", "<"
	if l.Oldest {
		order, compare = "ASC", ">"
	}
	var q query
	q.sql.WriteString("SELECT " + columns + " FROM " + table(number) + " l WHERE true")
	if !l.From.IsZero() {
		q.sql.WriteString(" AND l.at >= " + q.arg(l.From))
	}
	if !l.To.IsZero() {
		q.sql.WriteString(" AND l.at <= " + q.arg(l.To))
	}
	if l.beyond != nil {
		fmt.Fprintf(&q.sql, " AND (l.at, l.id) %s (%s, %s)", compare, q.arg(l.beyond.At), q.arg(l.beyond.ID))
	}
	if l.sources != nil {
		q.sql.WriteString(" AND l.source = ANY(" + q.arg(l.sources) + ")")
	}
	if l.levels != nil {
		q.sql.WriteString(" AND l.level = ANY(" + q.arg(l.levels) + ")")
		if l.levels[0] >= levelWarning {
			fmt.Fprintf(&q.sql, " AND l.level >= %d", levelWarning) // for the index of these
		}
	}
	if len(l.AnyOf) > 0 {
		q.sql.WriteString(" AND " + containing(&q, l.AnyOf))
	}
	fmt.Fprintf(&q.sql, " ORDER BY l.at %s, l.id %s LIMIT %d", order, order, l.limit)
	rows, err := s.pool.Query(ctx, q.sql.String(), append([]any{inBinary}, q.args...)...)
	if err != nil {
		return nil, nil, err
	}
	n := 0
	var last logstore.Position
	err = collect(rows, nil, func(r *stored) {
		n, last = n+1, r.position()
		if wants.match(r.text) {
			found = append(found, *r)
		}
	})
	if n == l.limit {
		next = &last
	}
	return found, next, err
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
	var found []stored
	for _, number := range numbers {
		most := limit - len(found)
		rows, err := s.pool.Query(ctx, "SELECT "+columns+" FROM "+table(number)+" l WHERE l.id > $1 ORDER BY l.id LIMIT $2", inBinary, id, most)
		if err == nil {
			err = collect(rows, nil, func(r *stored) { found = append(found, *r) })
		}
		if isUndefined(err) { // it is packed, or dropped since
			var packed []stored
			packed, err = s.afterInBlocks(ctx, number, id, most)
			found = append(found, packed...)
		}
		if err != nil {
			return fail(err)
		}
		if len(found) >= limit {
			break
		}
	}
	lines, err := s.lines(ctx, found)
	if err != nil {
		return fail(err)
	}
	return lines, nil
}
