package logdb

import (
	"context"
	"errors"
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
			err := s.around(ctx, environment, partitions[at].number, lines, which, n, step, around)
			if isUndefined(err) { // it is packed, or dropped since
				err = s.aroundInBlocks(ctx, environment, partitions[at].number, lines, which, n, step, around)
			}
			if err != nil {
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
			CROSS JOIN LATERAL `+side(ask.compare, ask.order)+" l", inBinary, ids, ats, services, pods, containers, environment)
		if err != nil {
			return err
		}
		var nth int64
		var asked []int64
		var found []stored
		if err := collect(rows, []any{&nth}, func(r *stored) { asked, found = append(asked, nth), append(found, *r) }); err != nil {
			return err
		}
		more, err := s.lines(ctx, found)
		if err != nil {
			return err
		}
		for k, l := range more {
			into := ask.into(&around[which[asked[k]-1]])
			*into = append(*into, l)
		}
		for _, i := range which {
			ordered(ask.into(&around[i]), ask.order == "DESC", n)
		}
	}
	return nil
}

// ordered sorts lines, of which some came from the partition beside, and keeps the
// nearest n.
func ordered(lines *[]*logline.Line, newest bool, n int) {
	slices.SortFunc(*lines, func(a, b *logline.Line) int {
		if newest {
			a, b = b, a
		}
		return logstore.PositionOf(a).Compare(logstore.PositionOf(b))
	})
	*lines = (*lines)[:min(len(*lines), n)]
}

// packedPartition is a partition as far as its blocks were read.
type packedPartition struct {
	heads []packed
	lines [][]stored // by block; nil where it was not read
}

// aroundInBlocks is around for a packed partition.
func (s *Store) aroundInBlocks(ctx context.Context, environment string, number int64, lines []*logline.Line, which []int, n, step int, around []logstore.Context) error {
	ids, err := s.idsOf(ctx, environment)
	if err != nil {
		return err
	}
	p, err := s.readHeads(ctx, number)
	if err != nil {
		return err
	}
	for _, i := range which {
		l := lines[i]
		at, source := logstore.PositionOf(l), ids[keyOf(environment, l)]
		for _, side := range []struct {
			wanted bool
			way    int
			into   *[]*logline.Line
		}{{step <= 0, -1, &around[i].Before}, {step >= 0, 1, &around[i].After}} {
			if !side.wanted {
				continue
			}
			found, err := s.beside(ctx, number, p, at, source, n, side.way)
			if err != nil {
				return err
			}
			more, err := s.lines(ctx, found)
			if err != nil {
				return err
			}
			*side.into = append(*side.into, more...)
			ordered(side.into, side.way < 0, n)
		}
	}
	return nil
}

// idsOf returns the ids of all containers of an environment.
func (s *Store) idsOf(ctx context.Context, environment string) (map[sourceKey]int32, error) {
	rows, err := s.pool.Query(ctx, "SELECT id, service, pod, container FROM log_sources WHERE environment = $1", environment)
	if err != nil {
		return nil, err
	}
	ids := map[sourceKey]int32{}
	var id int32
	key := sourceKey{environment: environment}
	_, err = pgx.ForEachRow(rows, []any{&id, &key.service, &key.pod, &key.container}, func() error {
		ids[key] = id
		return nil
	})
	return ids, err
}

func (s *Store) readHeads(ctx context.Context, number int64) (*packedPartition, error) {
	rows, err := s.pool.Query(ctx, "SELECT first_at, first_id, last_at, last_id, sources FROM log_blocks WHERE partition = $1 ORDER BY nth", number)
	if err != nil {
		return nil, err
	}
	p := &packedPartition{}
	var head packed
	_, err = pgx.ForEachRow(rows, []any{&head.first.At, &head.first.ID, &head.last.At, &head.last.ID, &head.sources}, func() error {
		p.heads = append(p.heads, head)
		head.sources = nil // a slice of its own for each
		return nil
	})
	p.lines = make([][]stored, len(p.heads))
	return p, err
}

// beside returns the nearest n lines of a container before (way -1) or after (1) a
// position, the nearest first.
func (s *Store) beside(ctx context.Context, number int64, p *packedPartition, at logstore.Position, source int32, n, way int) (found []stored, err error) {
	nth, _ := slices.BinarySearchFunc(p.heads, at, func(head packed, at logstore.Position) int { return head.last.Compare(at) })
	if way < 0 && (nth == len(p.heads) || p.heads[nth].first.Compare(at) > 0) {
		nth-- // all of it comes after
	}
	for ; nth >= 0 && nth < len(p.heads) && len(found) < n; nth += way {
		if !slices.Contains(p.heads[nth].sources, source) {
			continue
		}
		if p.lines[nth] == nil {
			var body []byte
			err := s.pool.QueryRow(ctx, "SELECT body FROM log_blocks WHERE partition = $1 AND nth = $2", inBinary, number, nth).Scan(&body)
			if errors.Is(err, pgx.ErrNoRows) {
				return found, nil // dropped since
			}
			if err == nil {
				p.lines[nth], err = linesOf(body)
			}
			if err != nil {
				return nil, err
			}
		}
		lines := p.lines[nth]
		i, exact := slices.BinarySearchFunc(lines, at, func(r stored, at logstore.Position) int { return r.position().Compare(at) })
		switch {
		case way < 0:
			i--
		case exact:
			i++
		}
		for ; i >= 0 && i < len(lines) && len(found) < n; i += way {
			if lines[i].source == source {
				found = append(found, lines[i])
			}
		}
	}
	return found, nil
}
