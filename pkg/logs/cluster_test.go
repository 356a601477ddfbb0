package logs

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/pkg/event"
	"zr/pkg/health/testcluster"
	"zr/pkg/kube"
	"zr/pkg/logs/follow"
)

// chatty writes a Deployment whose container writes numbered lines.
func chatty(name, args string, replicas int) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: %[4]s, imagePullPolicy: Never, args: [%[2]s]}]`, name, args, replicas, testcluster.AppImage)
}

// collector keeps lines.
type collector struct {
	mu    sync.Mutex
	lines []event.LogLine
}

func (c *collector) emit(l event.LogLine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, l)
}

func (c *collector) all() []event.LogLine {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}

// runs returns the numbers of the lines, by the run of the container that
// wrote them: "line 7 of <pod> at <start>".
func runs(t *testing.T, lines []event.LogLine) map[string][]int {
	byRun := map[string][]int{}
	for _, l := range lines {
		var n int
		var host, start string
		if _, err := fmt.Sscanf(l.Text, "line %d of %s at %s", &n, &host, &start); err != nil {
			t.Errorf("unexpected line %q", l.Text)
			continue
		}
		byRun[host+" "+start] = append(byRun[host+" "+start], n)
	}
	return byRun
}

// checkComplete fails where a run has a gap or a repeat, or does not begin
// with line first.
func checkComplete(t *testing.T, byRun map[string][]int, first int) {
	t.Helper()
	for run, numbers := range byRun {
		for i, n := range numbers {
			if n != first+i {
				t.Errorf("run %s: line %d came as number %d (%d in all)", run, n, i, len(numbers))
				break
			}
		}
	}
}

// TestClusterFollow follows pods that come, crash, restart and go.
func TestClusterFollow(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	c.Apply(chatty("running", `-lines=1000000, -every=2ms`, 2))
	c.Apply(chatty("crashing", `-lines=200, -every=2ms, -exit=1`, 1))
	c.Apply(chatty("other", `-lines=10`, 1))
	reader := New(c.Client)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got collector
	done := make(chan error, 1)
	go func() {
		done <- reader.Follow(ctx, Options{Namespace: c.Namespace, Services: []string{"running", "crashing"}, Follow: true}, got.emit)
	}()
	count := func(service string) int {
		n := 0
		for _, l := range got.all() {
			if l.Service == service {
				n++
			}
		}
		return n
	}
	c.Await("two restarts", func() bool { return count("crashing") >= 600 })
	c.Apply(chatty("running", `-lines=1000000, -every=2ms`, 3))
	c.Await("the lines of a new pod", func() bool {
		pods := map[string]bool{}
		for _, l := range got.all() {
			if l.Service == "running" {
				pods[l.Pod] = true
			}
		}
		return len(pods) == 3
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	lines := got.all()
	checkComplete(t, runs(t, lines), 0)
	for _, l := range lines {
		if l.Service != "running" && l.Service != "crashing" {
			t.Fatalf("a line of %s", l.Service)
		}
	}
	t.Logf("%d lines", len(lines))

	// What exists, in order of time over all pods, and only the tail.
	var tail collector
	if err := reader.Follow(t.Context(), Options{Namespace: c.Namespace, Selector: "app=running", Tail: 50}, tail.emit); err != nil {
		t.Fatal(err)
	}
	if lines := tail.all(); len(lines) <= 100 || len(lines) > 150 || !slices.IsSortedFunc(lines, func(a, b event.LogLine) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("the tail has %d lines, or they are out of order", len(lines))
	}
}

// TestClusterTailThenFollow goes from what exists to what is written without
// a gap, with and without a tail.
func TestClusterTailThenFollow(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	c.Apply(chatty("running", `-lines=1000000, -every=1ms`, 1))
	reader := New(c.Client)
	c.Await("its first lines", func() bool {
		var got collector
		return reader.Follow(t.Context(), Options{Namespace: c.Namespace, Tail: 100}, got.emit) == nil && len(got.all()) == 100
	})
	for _, o := range []Options{{Tail: 20}, {Tail: None}, {Since: time.Now()}} {
		ctx, cancel := context.WithCancel(t.Context())
		o.Namespace, o.Follow = c.Namespace, true
		var got collector
		done := make(chan error, 1)
		go func() { done <- reader.Follow(ctx, o, got.emit) }()
		c.Await("500 lines", func() bool { return len(got.all()) > 500 })
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		byRun := runs(t, got.all())
		for run, numbers := range byRun {
			checkComplete(t, map[string][]int{run: numbers}, numbers[0])
		}
	}
}

// TestClusterBrokenConnections cuts every connection to the API server over
// and over, while containers write, crash and restart.
func TestClusterBrokenConnections(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	c.Apply(chatty("running", `-lines=1000000, -every=1ms`, 2))
	c.Apply(chatty("crashing", `-lines=1500, -every=1ms, -exit=1`, 1))
	var cuts breaker
	reader := New(c.With(func(cfg *kube.Config) { cfg.Dial = cuts.dial }))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got collector
	done := make(chan error, 1)
	go func() { done <- reader.Follow(ctx, Options{Namespace: c.Namespace, Follow: true}, got.emit) }()
	c.Await("two restarts, with cuts all the time", func() bool {
		before := len(got.all())
		c.Await("more lines", func() bool { return len(got.all()) > before+200 })
		cuts.cut()
		crashes := 0
		for run := range runs(t, got.all()) {
			if strings.HasPrefix(run, "crashing") {
				crashes++
			}
		}
		return crashes >= 3
	})
	after := time.Now()
	c.Await("the lines after the last cut", func() bool {
		lines := got.all()
		return lines[len(lines)-1].Time.After(after)
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	byRun := runs(t, got.all())
	checkComplete(t, byRun, 0)
	t.Logf("%d lines of %d runs", len(got.all()), len(byRun))
}

// TestClusterResume ends and begins again over and over, each time with nothing
// but the cursors of before, while containers write, crash and restart.
func TestClusterResume(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	c.Apply(chatty("running", `-lines=1000000, -every=1ms`, 1))
	c.Apply(chatty("crashing", `-lines=1500, -every=1ms, -exit=1`, 1))
	reader := New(c.Client)
	var got collector
	kept := map[string][]byte{}
	run := func() {
		cursors := map[string]*follow.Cursor{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- reader.lines.Follow(ctx, follow.Options{Namespace: c.Namespace, Follow: true, Resume: func(uid, container string) follow.Cursor {
				if cursor, err := follow.ParseCursor(kept[uid]); err == nil {
					return cursor
				}
				return follow.Cursor{}
			}}, func(l follow.Line) {
				if cursors[l.PodUID] == nil {
					cursor, _ := follow.ParseCursor(kept[l.PodUID]) // none yet
					cursors[l.PodUID] = &cursor
				}
				cursors[l.PodUID].Add(l)
				got.emit(event.LogLine{Time: l.Time, Service: l.Service, Pod: l.Pod, Text: l.Text})
			})
		}()
		before := len(got.all())
		c.Await("more lines", func() bool { return len(got.all()) > before+200 })
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for uid, cursor := range cursors {
			kept[uid] = cursor.Bytes()
		}
	}
	crashes := func() (n int) {
		for run := range runs(t, got.all()) {
			if strings.HasPrefix(run, "crashing") {
				n++
			}
		}
		return n
	}
	for crashes() < 3 {
		run()
	}
	byRun := runs(t, got.all())
	checkComplete(t, byRun, 0)
	t.Logf("%d lines of %d runs", len(got.all()), len(byRun))
}

// breaker dials connections and cuts them.
type breaker struct {
	mu    sync.Mutex
	conns []net.Conn
}

func (b *breaker) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.conns = append(b.conns, conn)
	}
	return conn, err
}

func (b *breaker) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		c.Close()
	}
	b.conns = nil
}

// TestClusterRefused is about a namespace that the user may not read.
func TestClusterRefused(t *testing.T) {
	c := testcluster.New(t)
	reader := New(c.With(func(cfg *kube.Config) { cfg.Impersonate.UserName = "nobody" }))
	err := reader.Follow(t.Context(), Options{Namespace: c.Namespace, Follow: true}, func(event.LogLine) {})
	if err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("got %v", err)
	}
}
