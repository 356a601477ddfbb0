package logstore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"zr/pkg/logline"
)

// The bounds of a search.
const (
	// MaxPage is the most lines of a page.
	MaxPage = 1000
	// MaxContext is the most lines on each side of one.
	MaxContext = 20
	// searchBudget is how long one search may look. What it found until then is
	// a page, from which the next one goes on.
	searchBudget = 2 * time.Second
	// mostLook is how many candidates are asked for at once at most, which is some
	// MB. At first as many are as the page has lines, since most of them match.
	mostLook = 16 << 10
)

// Query says what to search for.
type Query struct {
	Environment string
	Filter      *logline.Filter
	From, To    time.Time // zero: open
	// Beyond, where it is not nil, is the position after which a page begins.
	Beyond  *Position
	Limit   int // at most MaxPage
	Context int // at most MaxContext
	Oldest  bool
}

// Page is a part of what a search finds.
type Page struct {
	Lines []*logline.Line
	// Context has the lines around each of Lines, where they were asked for.
	Context []Context
	// Next is where the next page begins, nil where there is nothing more.
	Next *Position
	// Complete tells that the page has as many lines as were asked for, or all.
	// Otherwise the time of one search was used up: Next goes on.
	Complete bool
}

// Searcher searches what is stored. It is safe for concurrent use.
type Searcher struct{ store Store }

// NewSearcher returns a Searcher of a store.
func NewSearcher(store Store) *Searcher { return &Searcher{store} }

// scopeOf is what a database can do of a query.
func scopeOf(q Query) Scope {
	s := Scope{Services: q.Filter.Services, Level: q.Filter.Level, From: q.From, To: q.To, Oldest: q.Oldest}
	var certain []string
	for _, of := range [][][]string{plain(q.Filter.Text), fieldLiterals(q.Filter.Fields)} {
		if of != nil {
			certain = append(certain, of[0]...)
		}
	}
	if q.Filter.Regexp != nil {
		s.Expressions = append(s.Expressions, q.Filter.Regexp.String())
		of := literals(q.Filter.Regexp.String())
		if len(of) == 1 {
			certain = append(certain, of[0]...)
		} else if certain == nil {
			s.AnyOf = of
		}
	}
	if q.Filter.Text != "" {
		s.Expressions = append(s.Expressions, "(?i)"+regexp.QuoteMeta(q.Filter.Text))
	}
	for _, f := range q.Filter.Fields {
		s.Expressions = append(s.Expressions, regexp.QuoteMeta(f.String()))
	}
	if certain != nil {
		s.AnyOf = [][]string{certain}
	}
	return s
}

func fieldLiterals(fields []logline.Field) [][]string {
	var all []string
	for _, f := range fields {
		if of := plain(f.String()); of != nil {
			all = append(all, of[0]...)
		}
	}
	if all == nil {
		return nil
	}
	return [][]string{all}
}

// Search returns a page. The error of a store is returned as it is; a search
// that takes too long returns what it found.
func (s *Searcher) Search(ctx context.Context, q Query) (Page, error) {
	looking, cancel := context.WithTimeout(ctx, searchBudget)
	defer cancel()
	f := &finder{store: s.store, query: q, scope: scopeOf(q)}
	page, err := f.find(looking)
	if err != nil {
		return Page{}, fmt.Errorf("searching the logs of %q: %w", q.Environment, err)
	}
	if q.Context > 0 && len(page.Lines) > 0 {
		if page.Context, err = s.store.Around(ctx, q.Environment, page.Lines, q.Context); err != nil {
			return Page{}, fmt.Errorf("searching the logs of %q: %w", q.Environment, err)
		}
	}
	return page, nil
}

// finder is one search.
type finder struct {
	store Store
	query Query
	scope Scope
	found []*logline.Line // in order, at most the limit
}

// compare orders positions as the query wants them.
func (f *finder) compare(a, b Position) int {
	if f.scope.Oldest {
		return a.Compare(b)
	}
	return b.Compare(a)
}

// begin is the first position that a partition can have.
func (f *finder) begin(p Partition) Position {
	if f.scope.Oldest {
		return Position{At: p.FirstAt}
	}
	return Position{At: p.LastAt, ID: 1<<63 - 1}
}

// find looks through the partitions in order. They overlap where lines came
// late, so that a page is done only when no other partition can begin before
// its end.
func (f *finder) find(ctx context.Context) (Page, error) {
	partitions, err := f.store.Partitions(ctx, f.query.Environment, f.scope)
	if err != nil {
		return Page{}, err
	}
	slices.SortFunc(partitions, func(a, b Partition) int { return f.compare(f.begin(a), f.begin(b)) })
	for i, p := range partitions {
		if f.full() && f.compare(f.last(), f.begin(p)) < 0 {
			return f.page(nil), nil
		}
		reached, err := f.look(ctx, p)
		if err == nil {
			continue
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return Page{}, err
		}
		// All before the earliest place that was not looked at is complete.
		if i+1 < len(partitions) && f.compare(f.begin(partitions[i+1]), reached) < 0 {
			reached = f.begin(partitions[i+1])
		}
		return f.page(&reached), nil
	}
	return f.page(nil), nil
}

func (f *finder) full() bool { return len(f.found) >= f.query.Limit }

func (f *finder) last() Position { return PositionOf(f.found[len(f.found)-1]) }

// page returns what was found. reached is where looking ended early.
func (f *finder) page(reached *Position) Page {
	if reached != nil {
		n, _ := slices.BinarySearchFunc(f.found, *reached, func(l *logline.Line, to Position) int { return f.compare(PositionOf(l), to) })
		if n < f.query.Limit {
			return Page{Lines: f.found[:n], Next: reached}
		}
	}
	p := Page{Lines: f.found, Complete: true}
	if f.full() {
		last := f.last()
		p.Next = &last
	}
	return p
}

// look adds the lines of a partition that match and have a place on the page.
// With an error it returns how far it came.
func (f *finder) look(ctx context.Context, p Partition) (Position, error) {
	beyond := f.query.Beyond
	reached := f.begin(p)
	if beyond != nil && f.compare(*beyond, reached) > 0 {
		reached = *beyond
	}
	matched := 0
	for n := f.query.Limit; ; n = min(4*n, mostLook) {
		if f.full() && f.compare(f.last(), reached) <= 0 {
			return reached, nil
		}
		lines, next, err := f.store.Candidates(ctx, f.query.Environment, p, f.scope, beyond, n)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return reached, err
		}
		var matching []*logline.Line
		for _, l := range lines {
			if ctx.Err() != nil { // an expression may take long for one line
				return reached, ctx.Err()
			}
			if f.query.Filter.Wants(l) {
				matching = append(matching, l)
			}
		}
		f.merge(matching)
		matched += len(matching)
		if next == nil || matched >= f.query.Limit {
			return reached, nil
		}
		reached, beyond = *next, next
	}
}

// merge puts lines, which are in order, among those that were found.
func (f *finder) merge(lines []*logline.Line) {
	f.found = append(f.found, lines...)
	slices.SortStableFunc(f.found, func(a, b *logline.Line) int { return f.compare(PositionOf(a), PositionOf(b)) })
	if len(f.found) > f.query.Limit {
		f.found = f.found[:f.query.Limit]
	}
}
