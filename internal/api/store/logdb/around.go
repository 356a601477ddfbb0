package logdb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/logstore"
	"zr/pkg/logline"
)

// span is a partition and which ids it has.
type span struct{ number, first, last int64 }

// Around implements logstore.Store. It asks each partition once, about the lines
// that it has; at its edges also the one beside it.
func (s *Store) Around(ctx context.Context, environment string, lines []*logline.Line, n int) ([]logstore.Context, error) {
	fail := func(err error) ([]logstore.Context, error) {
		return nil, fmt.Errorf("reading the lines around others: %w", classify(err))
	}
	rows, err := s.pool.Query(ctx, "SELECT number, first_id, last_id FROM log_partitions WHERE environment = $1 ORDER BY first_id", environment)
	if err != nil {
		return fail(err)
	}
	partitions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p span, err error) {
		return p, row.Scan(&p.number, &p.first, &p.last)
	})
	if err != nil {
		return fail(err)
	}
	around := make([]logstore.Context, len(lines))
	home := make([]int, len(lines)) // the index of a line's partition
	for i, l := range lines {
		home[i], _ = slices.BinarySearchFunc(partitions, l.ID, func(p span, id int64) int {
			switch {
			case p.last < id:
				return -1
			case p.first > id:
				return 1
			}
			return 0
		})
	}
	// First where the line is, then beside it on the side where some are missing.
	for _, step := range []int{0, -1, 1} {
		asked := map[int][]int{}
		for i := range lines {
			missing := len(around[i].Before) < n && step <= 0 || len(around[i].After) < n && step >= 0
			if at := home[i] + step; missing && at >= 0 && at < len(partitions) {
				asked[at] = append(asked[at], i)
			}
		}
		for at, which := range asked {
			if err := s.around(ctx, environment, partitions[at].number, lines, which, n, step, around); err != nil && !isUndefined(err) {
				return fail(err)
			}
		}
	}
	return around, nil
}

// around asks one partition about the lines of some indexes: for those before
// (step -1), after (1) or both (0).
func (s *Store) around(ctx context.Context, environment string, number int64, lines []*logline.Line, which []int, n, step int, around []logstore.Context) error {
	ids, ats := make([]int64, len(which)), make([]time.Time, len(which))
	services, pods, containers := make([]string, len(which)), make([]string, len(which)), make([]string, len(which))
	for k, i := range which {
		l := lines[i]
		ids[k], ats[k], services[k], pods[k], containers[k] = l.ID, l.Time, l.Service, l.Pod, l.Container
	}
	side := func(compare, order string) string {
		return fmt.Sprintf(`(SELECT %s FROM %s l WHERE l.source = o.id AND l.at %s= h.at AND (l.at, l.id) %s (h.at, h.id)
			ORDER BY l.at %s, l.id %s LIMIT %d)`, columns, table(number), compare, compare, order, order, n)
	}
	for _, ask := range []struct {
		wanted         bool
		compare, order string
		into           func(*logstore.Context) *[]*logline.Line
	}{
		{step <= 0, "<", "DESC", func(c *logstore.Context) *[]*logline.Line { return &c.Before }},
		{step >= 0, ">", "ASC", func(c *logstore.Context) *[]*logline.Line { return &c.After }},
	} {
		if !ask.wanted {
			continue
		}
		rows, err := s.pool.Query(ctx, `SELECT h.nth, l.* FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[])
			WITH ORDINALITY AS h (id, at, service, pod, container, nth)
			JOIN log_sources o ON o.environment = $6 AND o.service = h.service AND o.pod = h.pod AND o.container = h.container
			CROSS JOIN LATERAL `+side(ask.compare, ask.order)+" l", ids, ats, services, pods, containers, environment)
		if err != nil {
			return err
		}
		var nth int64
		found := map[int64][]*logline.Line{}
		if err := s.collect(ctx, rows, []any{&nth}, func(l *logline.Line) { found[nth] = append(found[nth], l) }); err != nil {
			return err
		}
		sign := 1
		if ask.order == "DESC" {
			sign = -1
		}
		for nth, more := range found {
			into := ask.into(&around[which[nth-1]])
			*into = append(*into, more...)
			slices.SortFunc(*into, func(a, b *logline.Line) int { // late lines are in the other partition
				return sign * logstore.PositionOf(a).Compare(logstore.PositionOf(b))
			})
			*into = (*into)[:min(len(*into), n)]
		}
	}
	return nil
}
