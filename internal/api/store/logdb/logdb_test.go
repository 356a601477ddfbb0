package logdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/internal/api/logstore"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const env = "shop"

// newStore returns a Store of a new database that has the schema.
func newStore(t testing.TB, limits Limits) *Store {
	t.Helper()
	return openStore(t, storetest.Database(t), limits)
}

func openStore(t testing.TB, url string, limits Limits) *Store {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	schema, err := postgres.Open(url, 8, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer schema.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go schema.Run(ctx)
	for schema.Check(ctx) != nil {
		if t.Context().Err() != nil {
			t.Fatal("the schema does not come")
		}
	}
	s, err := Open(url, 8, limits, schema.Usable, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

var began = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

// line is the n-th line of a service, a second after the one before.
func line(n int, service, raw string) *logline.Line {
	return &logline.Line{ID: int64(n), Time: began.Add(time.Duration(n) * time.Second), Service: service, Pod: service + "-1", Container: "main", Record: logline.Parse(raw)}
}

func lead(t testing.TB, s *Store, epoch int64) logstore.Lease {
	t.Helper()
	lease, err := s.Lead(t.Context(), env, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

func appendLines(t testing.TB, s *Store, epoch int64, lines ...*logline.Line) {
	t.Helper()
	if err := s.Append(t.Context(), logstore.Batch{Environment: env, Epoch: epoch, Lines: lines}); err != nil {
		t.Fatal(err)
	}
}

// ids returns what a search finds, page by page.
func ids(t testing.TB, s *Store, q logstore.Query) (found []int64) {
	t.Helper()
	q.Environment = env
	if q.Filter == nil {
		q.Filter = &logline.Filter{}
	}
	for pages := 0; ; pages++ {
		page, err := logstore.NewSearcher(s).Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Lines {
			found = append(found, l.ID)
		}
		if page.Next == nil {
			return found
		}
		if pages > 1000 {
			t.Fatal("pages without end")
		}
		q.Beyond = page.Next
	}
}

// TestSearch asks in all ways for lines in several tables, some of them late,
// in tables and packed, and compares with the filter in Go.
func TestSearch(t *testing.T) {
	s := newStore(t, Limits{Lines: 100, Bytes: 1 << 30, Span: time.Hour, Age: 100 * 365 * 24 * time.Hour, Size: 1 << 40})
	epoch := lead(t, s, 0).Epoch()
	var all []*logline.Line
	for n := 1; n <= 950; n++ {
		service, raw := "api", fmt.Sprintf(`{"level":"info","msg":"request %d done","path":"/a b","status":%d}`, n, 200+n%3)
		switch {
		case n%100 == 7:
			raw = fmt.Sprintf("panic: Größe %d%%_x\n\tat somewhere", n)
		case n%10 == 3:
			service, raw = "web", fmt.Sprintf(`level=warn msg="slow answer" ms=%d`, n)
		case n%10 == 4:
			service, raw = "web", fmt.Sprintf("\x1b[32mplain\x1b[0m %d", n)
		}
		l := line(n, service, raw)
		if n%97 == 0 {
			l.Time = l.Time.Add(-150 * time.Second) // it was read late
		}
		if n == 500 {
			l.Record, l.Skipped = logline.Record{}, 12
		}
		all = append(all, l)
	}
	for part := range slices.Chunk(all, 50) {
		appendLines(t, s, epoch, part...)
	}
	queries := map[string]logstore.Query{
		"all":           {},
		"service":       {Filter: &logline.Filter{Services: []string{"web"}}},
		"nobody":        {Filter: &logline.Filter{Services: []string{"nobody"}}},
		"level":         {Filter: &logline.Filter{Level: logline.Warning}},
		"error":         {Filter: &logline.Filter{Level: logline.Error}},
		"text":          {Filter: &logline.Filter{Text: "SLOW answer"}},
		"wildcards":     {Filter: &logline.Filter{Text: "07%_X"}},
		"umlaut":        {Filter: &logline.Filter{Text: "größe"}},
		"short":         {Filter: &logline.Filter{Text: "94"}},
		"none":          {Filter: &logline.Filter{Text: "nothing like this"}},
		"expression":    {Filter: &logline.Filter{Regexp: regexp.MustCompile(`request \d*7 done`)}},
		"alternatives":  {Filter: &logline.Filter{Regexp: regexp.MustCompile(`ms=1\d\d|plain 9`)}},
		"no literal":    {Filter: &logline.Filter{Regexp: regexp.MustCompile(`\b\d{3}%`)}},
		"field":         {Filter: &logline.Filter{Fields: []logline.Field{{Key: "status", Value: "201"}, {Key: "path", Value: "/a b"}}}},
		"time":          {From: began.Add(200 * time.Second), To: began.Add(300 * time.Second)},
		"time and text": {From: began.Add(200 * time.Second), Filter: &logline.Filter{Text: "plain"}},
	}
	random := rand.New(rand.NewPCG(3, 4))
	for n := range 40 {
		queries[fmt.Sprint("random ", n)] = randomQuery(random)
	}
	check := func(state string) {
		for name, q := range queries {
			for _, oldest := range []bool{false, true} {
				filter := q.Filter
				if filter == nil {
					filter = &logline.Filter{}
				}
				var wanted []*logline.Line
				for _, l := range all {
					if l.Skipped > 0 && (filter.Text != "" || filter.Regexp != nil || len(filter.Fields) > 0) {
						continue // a gap has no text
					}
					if filter.Wants(l) && !l.Time.Before(q.From) && (q.To.IsZero() || !l.Time.After(q.To)) {
						wanted = append(wanted, l)
					}
				}
				slices.SortFunc(wanted, func(a, b *logline.Line) int {
					c := logstore.PositionOf(a).Compare(logstore.PositionOf(b))
					if !oldest {
						c = -c
					}
					return c
				})
				var want []int64
				for _, l := range wanted {
					want = append(want, l.ID)
				}
				for _, limit := range []int{60, 1000} {
					q.Limit, q.Oldest = limit, oldest
					if got := ids(t, s, q); !slices.Equal(got, want) {
						t.Errorf("%s, %s, oldest %v, %d a page: got %d %v\nwant %d %v", state, name, oldest, limit, len(got), got, len(want), want)
					}
				}
			}
		}
	}
	check("in tables")
	if err := s.Upkeep(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	check("packed")

	page, err := logstore.NewSearcher(s).Search(t.Context(), logstore.Query{Environment: env, Filter: &logline.Filter{Text: "slow answer ms=103"}, Limit: 1, Context: 5})
	if err != nil || len(page.Lines) != 1 {
		t.Fatal(page, err)
	}
	var near []int64
	for _, l := range append(page.Context[0].Before, page.Context[0].After...) {
		near = append(near, l.ID)
	}
	if want := []int64{94, 93, 84, 83, 74, 104, 113, 114, 123, 124}; !slices.Equal(near, want) {
		t.Errorf("around line 103 of web: got %v, want %v", near, want)
	}
	if l := page.Lines[0]; l.Level != logline.Warning || l.Message != "slow answer" || l.Text() != "slow answer ms=103" || l.Pod != "web-1" || l.Service != "web" {
		t.Errorf("got %+v", l)
	}
	found, err := s.After(t.Context(), env, 900, 5)
	if err != nil || len(found) != 5 || found[3].ID != 904 || !slices.Equal(found[3].Styles, all[903].Styles) || len(found[3].Styles) != 2 {
		t.Errorf("after 900: %v, %v", found, err)
	}
}

// randomQuery is a query of TestSearch: each condition that there is, or not, with a value
// that many lines, few, or none have.
func randomQuery(random *rand.Rand) logstore.Query {
	q, f := logstore.Query{}, &logline.Filter{}
	q.Filter = f
	oneOf := func(values ...string) string {
		return values[random.IntN(len(values))]
	}
	if random.IntN(3) == 0 {
		f.Services = []string{oneOf("api", "web", "nobody")}
	}
	if random.IntN(3) == 0 {
		f.Level = oneOf(logline.Debug, logline.Info, logline.Warning, logline.Error)
	}
	if random.IntN(3) == 0 {
		f.Text = oneOf("e", "ms=", "DONE", "request 4", "slow answer ms=10", "größe", "quest 777 done path", "nothing like this")
	}
	if random.IntN(2) == 0 {
		f.Regexp = regexp.MustCompile(oneOf(`.`, `\d{3}`, `q\dz`, `\b[4-6]\d+\b`, `request.*status=20[12]`, `(slow|plain) [a-z]*`, `(?i)REQUEST 1`, `(panic|path): `, `done$`, `^plain`, `status.*request`))
	}
	if random.IntN(4) == 0 {
		f.Fields = []logline.Field{{Key: oneOf("status", "ms", "path"), Value: oneOf("200", "103", "/a b")}}
	}
	if random.IntN(4) == 0 {
		q.From = began.Add(time.Duration(random.IntN(1000)) * time.Second)
	}
	if random.IntN(4) == 0 {
		q.To = began.Add(time.Duration(random.IntN(1000)) * time.Second)
	}
	return q
}

// TestSearchWhilePacked finds every line at each moment while tables become blocks.
func TestSearchWhilePacked(t *testing.T) {
	s := newStore(t, Limits{Lines: 100, Bytes: 1 << 30, Span: time.Hour, Age: 100 * 365 * 24 * time.Hour, Size: 1 << 40})
	epoch := lead(t, s, 0).Epoch()
	var want []int64
	for n := 1; n <= 3000; n += 100 {
		var lines []*logline.Line
		for k := n; k < n+100; k++ {
			lines, want = append(lines, line(k, "api", fmt.Sprint("line ", k))), append(want, int64(k))
		}
		appendLines(t, s, epoch, lines...)
	}
	packed := make(chan error, 1)
	go func() { packed <- s.Upkeep(t.Context(), env) }()
	for done := false; !done; {
		select {
		case err := <-packed:
			if done = true; err != nil {
				t.Fatal(err)
			}
		default: // once more when it is done
		}
		if got := ids(t, s, logstore.Query{Filter: &logline.Filter{Text: "line"}, Limit: 1000, Oldest: true}); !slices.Equal(got, want) {
			t.Fatalf("a search finds %d lines of %d", len(got), len(want))
		}
		found, err := s.After(t.Context(), env, 50, 10_000)
		if err != nil || len(found) != len(want)-50 {
			t.Fatalf("after 50 there are %d lines, %v", len(found), err)
		}
	}
}

// TestBlocks packs lines of all lengths, and reads them back one by one and as a whole.
func TestBlocks(t *testing.T) {
	s := newStore(t, Limits{Lines: 1000, Bytes: 1 << 30, Span: time.Hour, Age: 100 * 365 * 24 * time.Hour, Size: 1 << 40})
	epoch := lead(t, s, 0).Epoch()
	var all []*logline.Line
	for n := 1; n <= 1000; n++ {
		text := fmt.Sprintf("\x1b[1mNumber\x1b[0m %04d ", n)
		if n > 600 && n < 640 { // these fill blocks by themselves
			text += strings.Repeat("long ", 10_000)
		}
		all = append(all, line(n, fmt.Sprint("service-", n%7), text))
	}
	appendLines(t, s, epoch, all...)
	if err := s.Upkeep(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(all); n += 9 {
		l := all[n]
		page, err := logstore.NewSearcher(s).Search(t.Context(), logstore.Query{Environment: env, Filter: &logline.Filter{Text: fmt.Sprintf("number %04d", n+1)}, Limit: 2, Context: 2})
		if err != nil || len(page.Lines) != 1 || !reflect.DeepEqual(page.Lines[0], l) {
			t.Fatalf("line %d: %+v, %v", n+1, page.Lines, err)
		}
		var near []int64
		for _, l := range slices.Concat(page.Context[0].Before, page.Context[0].After) {
			near = append(near, l.ID)
		}
		var want []int64
		for _, id := range []int64{l.ID - 7, l.ID - 14, l.ID + 7, l.ID + 14} {
			if id >= 1 && id <= 1000 {
				want = append(want, id)
			}
		}
		if !slices.Equal(near, want) {
			t.Fatalf("around line %d there are %v", n+1, near)
		}
	}
	if lines, err := s.After(t.Context(), env, 0, 2000); err != nil || !reflect.DeepEqual(lines, all) {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	var blocks int
	if err := s.pool.QueryRow(t.Context(), "SELECT count(*) FROM log_blocks").Scan(&blocks); err != nil || blocks < byLines || blocks > mostBlocks {
		t.Errorf("%d blocks, %v", blocks, err)
	}
}

// FuzzBlock opens what is no block.
func FuzzBlock(f *testing.F) {
	var p packer
	p.add(&stored{id: 7, at: began, source: 3, messageBytes: -1, text: []byte("some text")})
	f.Add(p.bytes())
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := linesOf(body); err != nil && !errors.Is(err, errBlock) {
			t.Error(err)
		}
	})
}

func TestCounts(t *testing.T) {
	s := newStore(t, DefaultLimits())
	epoch := lead(t, s, 0).Epoch()
	gap := line(100, "web", "")
	gap.Skipped = 4
	appendLines(t, s, epoch, line(1, "api", "level=warn msg=x"), line(2, "api", "y"))
	appendLines(t, s, epoch, line(61, "api", "level=warn msg=x"), line(62, "web", "ERROR z"), gap)
	for _, tc := range []struct {
		scope logstore.Scope
		every time.Duration
		want  string
	}{
		{logstore.Scope{}, time.Minute, "0: 1, 0:warning 1, 1: 4 skipped, 1:warning 1, 1:error 1"},
		{logstore.Scope{}, time.Hour, "0: 1, 0: 4 skipped, 0:warning 2, 0:error 1"},
		{logstore.Scope{Services: []string{"api"}, Level: logline.Warning}, time.Minute, "0:warning 1, 1:warning 1"},
		{logstore.Scope{From: began.Add(time.Minute)}, time.Minute, "1: 4 skipped, 1:warning 1, 1:error 1"},
	} {
		counts, err := s.Counts(t.Context(), env, tc.scope, tc.every)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range counts {
			said := fmt.Sprintf("%d:%s %d", int(c.At.Sub(began.Truncate(tc.every)).Minutes()), c.Level, c.Lines)
			if c.Skipped {
				said += " skipped"
			}
			got = append(got, said)
		}
		slices.Sort(got)
		want := strings.Split(tc.want, ", ")
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%+v every %v: got %v, want %v", tc.scope, tc.every, got, want)
		}
	}
}

// TestLease lets two replicas take turns: one that comes late writes nothing.
func TestLease(t *testing.T) {
	url := storetest.Database(t)
	a, b := openStore(t, url, DefaultLimits()), openStore(t, url, DefaultLimits())
	first := lead(t, a, 0)
	if _, err := b.Lead(t.Context(), env, 0); !errors.Is(err, logstore.ErrHeld) {
		t.Fatalf("two replicas collect: %v", err)
	}
	container := logstore.Container{PodUID: "u", Name: "main"}
	var cursor follow.Cursor
	cursor.Add(follow.Line{Time: began, Run: 3})
	if err := a.Append(t.Context(), logstore.Batch{Environment: env, Epoch: first.Epoch(), Lines: []*logline.Line{line(1, "api", "x")}, Cursors: map[logstore.Container]follow.Cursor{container: cursor}}); err != nil {
		t.Fatal(err)
	}
	first.Release()
	again := lead(t, a, first.Epoch())
	if again.Epoch() != first.Epoch() {
		t.Errorf("nobody else collected, and yet the epoch went from %d to %d", first.Epoch(), again.Epoch())
	}
	again.Release()
	second := lead(t, b, 0)
	defer second.Release()
	if second.Epoch() <= first.Epoch() {
		t.Errorf("epoch %d after %d", second.Epoch(), first.Epoch())
	}
	if err := a.Append(t.Context(), logstore.Batch{Environment: env, Epoch: first.Epoch(), Lines: []*logline.Line{line(2, "api", "late")}}); !errors.Is(err, logstore.ErrDeposed) {
		t.Errorf("a replica that was deposed writes: %v", err)
	}
	cursors, last, err := b.Cursors(t.Context(), env)
	if err != nil || last != 1 || len(cursors) != 1 || cursors[container].Run != 3 || !cursors[container].Last.Equal(began) {
		t.Errorf("got %v, last %d, %v", cursors, last, err)
	}
}

// TestRetention drops by age and by size, and forgets who has no lines left.
func TestRetention(t *testing.T) {
	s := newStore(t, Limits{Lines: 10, Bytes: 1 << 30, Span: time.Hour, Age: time.Hour, Size: 1 << 40})
	epoch := lead(t, s, 0).Epoch()
	now := time.Now()
	for n := 1; n <= 30; n++ {
		l := line(n, fmt.Sprintf("s%d", (n-1)/10), "x")
		l.Time = now.Add(time.Duration(n-22) * time.Hour)
		appendLines(t, s, epoch, l)
	}
	if err := s.Upkeep(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s, logstore.Query{Limit: 100, Oldest: true}); len(got) != 10 || got[0] != 21 {
		t.Errorf("after an hour there are %v", got)
	}
	var services int
	if err := s.pool.QueryRow(t.Context(), "SELECT count(*) FROM log_sources").Scan(&services); err != nil || services != 1 {
		t.Errorf("%d services are known, %v", services, err)
	}
	appendLines(t, s, epoch, line(31, "s0", "again"))
	s.limits.Age, s.limits.Size = 100*365*24*time.Hour, 1
	if err := s.Upkeep(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s, logstore.Query{Limit: 100}); !slices.Equal(got, []int64{31}) {
		t.Errorf("of a byte that may be kept there are %v: what is written stays, and nothing else", got)
	}
}
