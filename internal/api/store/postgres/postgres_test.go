package postgres

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/api/reason"
	"zr/internal/api/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// open returns a Store whose Run goes on in the background.
func open(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(url, 8, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		s.Close()
	})
	return s
}

// await asks until Check gives a reason ("" for none).
func await(t *testing.T, s *Store, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		got := reason.Of(s.Check(ctx))
		if got == want {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("the reason stays %q, want %q", got, want)
		}
	}
}

func TestOpenNeverShowsTheURL(t *testing.T) {
	_, err := Open("postgres://zr:hunter2@localhost:port/zr", 8, quiet)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
}

func TestAServerThatComesUpLaterIsUsed(t *testing.T) {
	server := storetest.NewPostgres(t)
	s := open(t, server.URL("postgres"))
	await(t, s, reason.Refused)
	server.Start()
	await(t, s, "")
	server.Stop()
	await(t, s, reason.Refused)
	server.Start()
	await(t, s, "")
}

func TestTheReasonsOfTheServer(t *testing.T) {
	url := storetest.Database(t)
	await(t, open(t, strings.Replace(url, storetest.Password, "wrong", 1)), reason.Auth)
	await(t, open(t, strings.Replace(url, "/test_", "/none_", 1)), reason.NoDatabase)
}

func TestADatabaseThatWasReplacedIsMigratedAgain(t *testing.T) {
	url := storetest.Database(t)
	s := open(t, url)
	await(t, s, "")
	storetest.Exec(t, url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
	await(t, s, reason.Migrating)
	await(t, s, "")
	if _, err := s.History(t.Context(), "", "", 0, 1); err != nil {
		t.Fatal(err)
	}
}
