package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/logstore"
	"zr/internal/api/logstore/redact"
	"zr/internal/api/routes/logs"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/logdb"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/pkg/logs/follow"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// pods writes what it is sent.
type pods chan string

// Follow implements logstore.Source.
func (p pods) Follow(ctx context.Context, _ follow.Options, emit func(follow.Line)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case text := <-p:
			emit(follow.Line{Time: time.Now().UTC(), Service: "api", Pod: "api-1", PodUID: "u", Container: "main", Text: text})
		}
	}
}

// serve serves the routes of logs that are collected from what is written to
// pods, and more.
func serve(t *testing.T, url string, more ...func(*contract.API)) (*apitest.App, pods, *logstore.Collector) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	schema, err := postgres.Open(url, 8, quiet)
	if err != nil {
		t.Fatal(err)
	}
	store, err := logdb.Open(url, 8, logdb.DefaultLimits(), schema.Usable, quiet)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := cache.Open(storetest.NewRedis(t).URL(), 8, quiet) // which is away
	if err != nil {
		t.Fatal(err)
	}
	from := make(pods)
	c := logstore.NewCollector("shop", from, store, shared, redact.New(nil), quiet)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { schema.Run(ctx); done <- struct{}{} }()
	go func() { c.Run(ctx); done <- struct{}{} }()
	t.Cleanup(func() {
		cancel()
		<-done
		<-done
		schema.Close()
		store.Close()
		_ = shared.Close()
	})
	a := apitest.Serve(t, func(a *contract.API) {
		logs.Add(a, logs.Source{Environments: environments.Only(&environments.Environment{Name: "shop", Logs: c}), Store: store, Origins: []string{"http://localhost:3000"}}, quiet)
		for _, add := range more {
			add(a)
		}
	})
	return a, from, c
}

// withLines serves numbered lines that are stored.
func withLines(t *testing.T, n int) *apitest.App {
	t.Helper()
	a, from, c := serve(t, storetest.Database(t))
	for i := range n {
		level := []string{"info", "warn", "error"}[i%3]
		from <- fmt.Sprintf(`{"level":"%s","msg":"line %d","n":%d}`, level, i, i)
	}
	for c.Stats().Stored < int64(n) {
		if t.Context().Err() != nil {
			t.Fatal("the lines are not stored")
		}
		time.Sleep(time.Millisecond)
	}
	return a
}
