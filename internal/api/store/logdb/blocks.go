package logdb

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"zr/internal/api/logstore"
	"zr/internal/api/logstore/dfa"
)

// matchers are of expressions that a text has to match, all of them. They are not safe
// for concurrent use.
type matchers []*dfa.Matcher

func newMatchers(expressions []string) (matchers, error) {
	return newMatchersBy(expressions, dfa.New)
}

func newMatchersBy(expressions []string, matcher func(string) (*dfa.Matcher, error)) (matchers, error) {
	var all matchers
	for _, e := range expressions {
		m, err := matcher(e)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func (m matchers) match(text []byte) bool {
	for _, one := range m {
		if !one.Match(text) {
			return false
		}
	}
	return true
}

// nthIn are the numbers of the blocks in a mask.
func nthIn(mask uint32) (all []int32) {
	for nth := range int32(mostBlocks) {
		if mask&(1<<nth) != 0 {
			all = append(all, nth)
		}
	}
	return all
}

// fromBlocks looks through the blocks of a partition: through the first one alone, where
// most pages end, and then through the others.
func (s *Store) fromBlocks(ctx context.Context, p logstore.Partition, l look) (found []stored, next *logstore.Position, err error) {
	left := p.Blocks
	if left == 0 {
		left = ^uint32(0)
	}
	if left, err = s.promising(ctx, p.Number, left, l); left == 0 || err != nil {
		return nil, nil, err
	}
	for n := 1; ; n = mostBlocks {
		q := l.blocks(p.Number, left, n)
		rows, err := s.pool.Query(ctx, q.sql.String(), append([]any{inBinary}, q.args...)...)
		if err != nil {
			return nil, nil, err
		}
		lines, seen, err := l.read(ctx, rows)
		if err != nil {
			return nil, nil, err
		}
		if found = append(found, lines...); len(found) >= l.limit {
			found = found[:l.limit]
			last := found[l.limit-1].position()
			return found, &last, nil
		}
		if len(seen) < n {
			return found, nil, nil
		}
		for _, nth := range seen {
			left &^= 1 << nth
		}
	}
}

// promising returns the blocks of a mask of which the templates say that a line may be
// wanted.
func (s *Store) promising(ctx context.Context, number int64, among uint32, l look) (mask uint32, err error) {
	if len(l.Expressions) == 0 {
		return among, nil
	}
	wants, err := newTemplateMatchers(l.Expressions)
	if err != nil {
		return 0, err
	}
	levels := ^int32(0)
	if l.levels != nil {
		levels = maskOf(l.levels)
	}
	rows, err := s.pool.Query(ctx, "SELECT nth, templates FROM log_blocks WHERE partition = $1 AND nth = ANY($2)", inBinary, number, nthIn(among))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var memory []byte
	for rows.Next() {
		var nth int32
		if err := rows.Scan(&nth, nil); err != nil {
			return 0, err
		}
		may, err := wants.mayMatch(rows.RawValues()[1], levels, &memory)
		if err != nil {
			return 0, err
		}
		if may {
			mask |= 1 << nth
		}
	}
	return mask, rows.Err()
}

// blocks asks for the first n blocks, among those of a mask, that may have lines.
func (l look) blocks(number int64, among uint32, n int) *query {
	q := &query{}
	q.sql.WriteString("SELECT b.nth, b.body FROM log_blocks b WHERE b.partition = " + q.arg(number) + " AND b.nth = ANY(" + q.arg(nthIn(among)) + ")")
	if !l.From.IsZero() {
		q.sql.WriteString(" AND b.last_at >= " + q.arg(l.From))
	}
	if !l.To.IsZero() {
		q.sql.WriteString(" AND b.first_at <= " + q.arg(l.To))
	}
	order, edge, compare := "DESC", "first", "<"
	if l.Oldest {
		order, edge, compare = "ASC", "last", ">"
	}
	if l.beyond != nil {
		fmt.Fprintf(&q.sql, " AND (b.%[1]s_at, b.%[1]s_id) %[2]s (%[3]s, %[4]s)", edge, compare, q.arg(l.beyond.At), q.arg(l.beyond.ID))
	}
	if l.sources != nil {
		q.sql.WriteString(" AND b.sources && " + q.arg(l.sources))
	}
	if l.levels != nil {
		q.sql.WriteString(" AND b.levels & " + q.arg(maskOf(l.levels)) + " <> 0")
	}
	fmt.Fprintf(&q.sql, " ORDER BY b.nth %s LIMIT %d", order, n)
	return q
}

func maskOf(levels []int16) (mask int32) {
	for _, level := range levels {
		mask |= 1 << level
	}
	return mask
}

// read looks through blocks, on all processors, while more of them come. It returns
// the lines that are wanted, in order, and which blocks there were.
func (l look) read(ctx context.Context, rows pgx.Rows) (found []stored, seen []int32, err error) {
	defer rows.Close()
	workers := runtime.GOMAXPROCS(0)
	idle := make(chan *worker, workers)
	for range workers {
		m, err := newMatchers(l.Expressions)
		if err != nil {
			return nil, nil, err
		}
		idle <- &worker{wants: m}
	}
	var lines [mostBlocks][]stored
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for rows.Next() {
		var nth int32
		if err = rows.Scan(&nth, nil); err != nil {
			break
		}
		i, w := len(seen), <-idle
		w.body = append(w.body[:0], rows.RawValues()[1]...) // it is there until the next row
		seen = append(seen, nth)
		g.Go(func() (err error) {
			defer func() { idle <- w }()
			lines[i], err = l.within(ctx, w)
			return err
		})
	}
	if err := errors.Join(err, g.Wait(), rows.Err()); err != nil {
		return nil, nil, err
	}
	for _, of := range lines {
		found = append(found, of...)
	}
	return found, seen, nil
}

// worker looks through one block after the other.
type worker struct {
	wants        matchers
	body, memory []byte
}

// within returns the lines of a worker's block that are wanted, in order.
func (l look) within(ctx context.Context, w *worker) (found []stored, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := openBlock(w.body, &w.memory)
	if err != nil {
		return nil, err
	}
	sources, levels := set(l.sources), maskOf(l.levels)
	var heads []head
	var h head
	for {
		more, err := b.next(&h)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if (l.sources == nil || sources[h.source]) && (l.levels == nil || levels&(1<<h.level) != 0) && l.wantsTime(&h) && w.wants.match(b.texts[h.text:h.textEnd]) {
			heads = append(heads, h)
		}
	}
	if !l.Oldest {
		slices.Reverse(heads)
	}
	for _, h := range heads[:min(len(heads), l.limit)] {
		r := b.line(&h)
		r.text, r.styles = bytes.Clone(r.text), bytes.Clone(r.styles) // the memory is for the next block
		found = append(found, r)
	}
	return found, nil
}

func set(ids []int32) map[int32]bool {
	all := make(map[int32]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all
}

// wantsTime tells whether a line is between From and To, and beyond a position.
func (l look) wantsTime(h *head) bool {
	if l.From.IsZero() && l.To.IsZero() && l.beyond == nil {
		return true
	}
	p := h.position()
	if !l.From.IsZero() && p.At.Before(l.From) || !l.To.IsZero() && p.At.After(l.To) {
		return false
	}
	if l.beyond == nil {
		return true
	}
	c := p.Compare(*l.beyond)
	return l.Oldest && c > 0 || !l.Oldest && c < 0
}

// afterInBlocks returns the first lines with ids after one, by id.
func (s *Store) afterInBlocks(ctx context.Context, number, id int64, most int) (found []stored, err error) {
	rows, err := s.pool.Query(ctx, "SELECT lowest, body FROM log_blocks WHERE partition = $1 AND highest > $2 ORDER BY lowest", inBinary, number, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var lowest int64
		var body []byte
		if err := rows.Scan(&lowest, &body); err != nil {
			return nil, err
		}
		if len(found) == most && lowest > found[most-1].id {
			break
		}
		lines, err := linesOf(body)
		if err != nil {
			return nil, err
		}
		for _, r := range lines {
			if r.id > id {
				found = append(found, r)
			}
		}
		slices.SortFunc(found, func(a, b stored) int { return cmp.Compare(a.id, b.id) })
		found = found[:min(len(found), most)]
	}
	rows.Close()
	return found, rows.Err()
}

// linesOf returns all lines of a block, in the order of their positions.
func linesOf(body []byte) (all []stored, err error) {
	b, err := openBlock(body, new([]byte))
	if err != nil {
		return nil, err
	}
	var h head
	for {
		if more, err := b.next(&h); err != nil || !more {
			return all, err
		}
		all = append(all, b.line(&h))
	}
}
