package logstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/api/logstore"
	"zr/internal/api/logstore/redact"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/logdb"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const env = "shop"

// node is where containers write: it keeps their lines, as a node's disk does,
// and each follower gets those beyond its cursor.
type node struct {
	mu    sync.Mutex
	lines []follow.Line
	more  chan struct{} // closed at the next line
}

func newNode() *node { return &node{more: make(chan struct{})} }

func (n *node) write(pod, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := time.Now().UTC()
	if len(n.lines) > 0 && !at.After(n.lines[len(n.lines)-1].Time) {
		at = n.lines[len(n.lines)-1].Time.Add(time.Microsecond)
	}
	n.lines = append(n.lines, follow.Line{Time: at, Service: pod, Pod: pod + "-1", PodUID: "uid-" + pod, Container: "main", Text: text})
	close(n.more)
	n.more = make(chan struct{})
}

// Follow implements logstore.Source.
func (n *node) Follow(ctx context.Context, o follow.Options, emit func(follow.Line)) error {
	began := map[string]time.Time{}
	for next := 0; ; next++ {
		n.mu.Lock()
		for next == len(n.lines) {
			more := n.more
			n.mu.Unlock()
			select {
			case <-more:
			case <-ctx.Done():
				return nil
			}
			n.mu.Lock()
		}
		l := n.lines[next]
		n.mu.Unlock()
		if _, known := began[l.PodUID]; !known {
			began[l.PodUID] = o.Resume(l.PodUID, l.Container).Last
		}
		if l.Time.After(began[l.PodUID]) && ctx.Err() == nil {
			emit(l)
		}
	}
}

// stored returns a Store of a database that will have the schema.
func stored(t *testing.T, url string) *logdb.Store {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	schema, err := postgres.Open(url, 8, log)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := logdb.Open(url, 8, logdb.DefaultLimits(), schema.Usable, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); schema.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; schema.Close(); lines.Close() })
	return lines
}

// hears returns a replica's way to the others, by a server that may be away.
func hears(t *testing.T, server *storetest.Redis) logstore.Replicas {
	t.Helper()
	c, err := cache.Open(server.URL(), 8, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// collect runs a collector that hears no other until the returned function is called.
func collect(t *testing.T, source logstore.Source, store logstore.Store, secrets ...string) (*logstore.Collector, func()) {
	t.Helper()
	return collectWith(t, source, store, hears(t, storetest.NewRedis(t)), secrets...)
}

func collectWith(t *testing.T, source logstore.Source, store logstore.Store, replicas logstore.Replicas, secrets ...string) (*logstore.Collector, func()) {
	t.Helper()
	c := logstore.NewCollector(env, source, store, replicas, redact.New(secrets), slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return c, stop
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come: " + what)
		}
	}
}

// all returns what is stored, the oldest first.
func all(t *testing.T, store logstore.Store) []*logline.Line {
	t.Helper()
	var lines []*logline.Line
	q := logstore.Query{Environment: env, Filter: &logline.Filter{}, Limit: logstore.MaxPage, Oldest: true}
	for {
		page, err := logstore.NewSearcher(store).Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if lines = append(lines, page.Lines...); page.Next == nil {
			return lines
		}
		q.Beyond = page.Next
	}
}

// checkNumbers fails where the lines are not first to last, each once; what was
// skipped may stand for those that are missing.
func checkNumbers(t *testing.T, lines []*logline.Line, last int) {
	t.Helper()
	seen, skipped := map[int]bool{}, 0
	for _, l := range lines {
		if skipped += l.Skipped; l.Skipped > 0 {
			continue
		}
		var n int
		if _, err := fmt.Sscanf(l.Message, "line %d", &n); err != nil || seen[n] || n < 1 || n > last {
			t.Fatalf("%q is there twice, or is no line", l.Message)
		}
		seen[n] = true
	}
	if len(seen)+skipped != last {
		t.Errorf("of %d lines there are %d, and %d were skipped", last, len(seen), skipped)
	}
}

// TestEachLineIsStoredOnce ends the api and begins anew over and over while
// lines come.
func TestEachLineIsStoredOnce(t *testing.T) {
	store, from := stored(t, storetest.Database(t)), newNode()
	written := 0
	write := func(n int) {
		for range n {
			written++
			from.write("api", fmt.Sprintf("line %d", written))
		}
	}
	for range 5 {
		write(200)
		c, stop := collect(t, from, store)
		await(t, "a first line", func() bool { return c.Stats().Received > 0 })
		write(500)
		stop()
	}
	c, _ := collect(t, from, store)
	await(t, "the last line", func() bool { return c.Stats().Last > 0 && len(all(t, store)) >= written })
	checkNumbers(t, all(t, store), written)
}

// TestTheDatabaseGoesAway stops the server under load, for long enough that the
// memory for what waits is used up.
func TestTheDatabaseGoesAway(t *testing.T) {
	server := storetest.NewPostgres(t)
	server.Start()
	store, from := stored(t, server.URL("postgres")), newNode()
	c, _ := collect(t, from, store)
	watching, cancel := context.WithCancel(t.Context())
	defer cancel()
	var live sync.WaitGroup
	seen := 0
	live.Go(func() {
		_ = c.Watch(watching, &logline.Filter{Services: []string{"api"}}, 0, func(lines []*logline.Line) error {
			for _, l := range lines {
				seen += max(1, l.Skipped)
			}
			return nil
		})
	})
	from.write("api", "line 1")
	await(t, "a stored line", func() bool { return c.Stats().Stored == 1 })
	server.Stop()
	const last = 600
	long := strings.Repeat("x", 64<<10)
	for n := 2; n <= last; n++ {
		from.write("api", fmt.Sprintf("line %d %s", n, long))
	}
	await(t, "all lines in memory or counted", func() bool { return c.Stats().Received == last })
	server.Start()
	await(t, "all lines stored or counted", func() bool { s := c.Stats(); return s.Stored+s.Skipped == last })
	from.write("api", fmt.Sprintf("line %d", last+1))
	await(t, "the line after", func() bool { s := c.Stats(); return s.Stored+s.Skipped == last+1 })
	lines := all(t, store)
	checkNumbers(t, lines, last+1)
	if s := c.Stats(); s.Skipped == 0 || s.Stored < 300 {
		t.Errorf("%+v: what waits is not bounded, or the bound is too low", s)
	}
	await(t, "the end of the watch", func() bool { return c.Stats().Last >= lines[len(lines)-1].ID })
	cancel()
	live.Wait()
	if seen < last/2 {
		t.Errorf("who watches was shown %d lines while the database was away", seen)
	}
}

// TestResume goes on where a client was: from memory, and from the store in a
// process that was started anew.
func TestResume(t *testing.T) {
	store, from := stored(t, storetest.Database(t)), newNode()
	c, stop := collect(t, from, store)
	var last int64
	read := func(c *logstore.Collector, after int64, n int) (texts []string) {
		t.Helper()
		enough := errors.New("enough")
		err := c.Watch(t.Context(), &logline.Filter{}, after, func(lines []*logline.Line) error {
			for _, l := range lines {
				if len(texts) < n {
					texts, last = append(texts, l.Message), l.ID
				}
			}
			if len(texts) == n {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Fatal(err)
		}
		return texts
	}
	for n := range 10 {
		from.write("api", fmt.Sprint(n))
	}
	if got := strings.Join(read(c, 0, 4), ""); got != "0123" {
		t.Errorf("got %s", got)
	}
	if got := strings.Join(read(c, last, 3), ""); got != "456" {
		t.Errorf("went on with %s", got)
	}
	await(t, "stored lines", func() bool { return c.Stats().Stored == 10 })
	stop()
	again, _ := collect(t, from, store)
	await(t, "the new process", func() bool { return again.Stats().Leading })
	from.write("api", "x")
	if got := strings.Join(read(again, last, 4), ""); got != "789x" {
		t.Errorf("in a new process it went on with %s", got)
	}
}

// TestAnotherReplicaShows has two replicas: one collects, both show, and when it
// ends the other goes on.
func TestAnotherReplicaShows(t *testing.T) {
	url := storetest.Database(t)
	from := newNode()
	first, stop := collect(t, from, stored(t, url))
	await(t, "a leader", func() bool { return first.Stats().Leading })
	store := stored(t, url)
	second, _ := collect(t, from, store)
	from.write("api", "line 1")
	await(t, "its line at the other", func() bool { return first.Stats().Last > 0 && second.Stats().Last == first.Stats().Last })
	stop()
	from.write("api", "line 2")
	await(t, "the other leads", func() bool { return second.Stats().Leading })
	await(t, "its line", func() bool { return second.Stats().Stored == 1 })
	checkNumbers(t, all(t, store), 2)
}

// TestReplicasAreTold has one that does not collect show what the other one does: while the
// database is away, and without a gap or a repeat after Redis was away, too.
func TestReplicasAreTold(t *testing.T) {
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	from, url := newNode(), server.URL("postgres")
	first, _ := collectWith(t, from, stored(t, url), hears(t, redis))
	await(t, "a leader", func() bool { return first.Stats().Leading })
	second, _ := collectWith(t, from, stored(t, url), hears(t, redis))
	var mu sync.Mutex
	var shown []string
	watching, cancel := context.WithCancel(t.Context())
	var live sync.WaitGroup
	live.Go(func() {
		_ = second.Watch(watching, &logline.Filter{}, 0, func(lines []*logline.Line) error {
			mu.Lock()
			defer mu.Unlock()
			for _, l := range lines {
				shown = append(shown, l.Message)
			}
			return nil
		})
	})
	defer live.Wait()
	defer cancel()
	isShown := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(shown) >= n
		}
	}
	written := 0
	write := func(n int) {
		for range n {
			written++
			from.write([]string{"api", "web"}[written%2], fmt.Sprintf("line %d", written))
		}
	}
	await(t, "lines that are not stored yet", func() bool {
		write(1)
		s := first.Stats()
		return isShown(int(s.Stored) + 20)()
	})
	await(t, "all that was written", isShown(written))
	server.Stop()
	write(100)
	await(t, "lines while the database is away", isShown(written))
	redis.Stop()
	write(100)
	await(t, "lines where they are collected", func() bool { return first.Stats().Received == int64(written) })
	redis.Start()
	write(100)
	server.Start()
	await(t, "the lines in between", isShown(written))
	write(100)
	await(t, "those after", isShown(written))
	mu.Lock()
	defer mu.Unlock()
	next := map[string]int{}
	for _, text := range shown {
		var n int
		if _, err := fmt.Sscanf(text, "line %d", &n); err != nil {
			t.Fatal(err)
		}
		of := []string{"api", "web"}[n%2]
		if before := next[of]; before != 0 && n != before+2 || before == 0 && n > 2 {
			t.Errorf("line %d of %s comes after line %d", n, of, before)
		}
		next[of] = n
	}
	if len(shown) != written {
		t.Errorf("%d lines are shown, of %d", len(shown), written)
	}
}

// TestRecords looks at what becomes of what is hard to read.
func TestRecords(t *testing.T) {
	store, from := stored(t, storetest.Database(t)), newNode()
	c, _ := collect(t, from, store, "pass-w0rd/1")
	for _, raw := range []string{
		"panic: no", "", "goroutine 1 [running]:", "main.main()", "\t/main.go:1",
		`{"level":"error","msg":"login with pass-w0rd/1","header":"Basic dTpwYXNzLXcwcmQvMQ==","url":"/?p=pass-w0rd%2F1","nul":"a\u0000b"}`,
		"a\x00b \xff \x1b[31mred\x1b[0m", "10%\r99%\r",
	} {
		from.write("api", raw)
	}
	await(t, "four records", func() bool { return c.Stats().Stored == 4 })
	var got []string
	for _, l := range all(t, store) {
		got = append(got, l.Level+"|"+l.Text())
	}
	want := []string{
		"error|panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/main.go:1",
		`error|login with [redacted] header="Basic [redacted]" url=/?p=[redacted] nul=ab`,
		"|ab \uFFFD red", "|99%",
	}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if got[i] != want[i] && !(i == 1 && strings.HasPrefix(got[i], "error|login with [redacted] header=\"Basic ")) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	if strings.Contains(got[1], "w0rd") || strings.Contains(got[1], "cGFzcy13MHJk") || strings.Contains(got[1], "YXNzLXcwcmQ") {
		t.Errorf("a secret is stored: %q", got[1])
	}
}
