package cache

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"zr/internal/api/reason"
	"zr/internal/api/store/storetest"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t *testing.T, url string) Cache {
	t.Helper()
	c, err := Open(url, 8, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// await asks until Check gives a reason ("" for none).
func await(t *testing.T, c Cache, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		err := c.Check(ctx)
		if reason.Of(err) == want {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("the reason stays %q (%v), want %q", reason.Of(err), err, want)
		}
	}
}

func TestOpenNeverShowsTheURL(t *testing.T) {
	_, err := Open("redis://:hunter2@localhost:6379/zero", 8, quiet)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
}

func TestValuesExpire(t *testing.T) {
	server := storetest.NewRedis(t)
	server.Start()
	c := open(t, server.URL())
	ctx := t.Context()
	if _, found, err := c.Get(ctx, "k"); found || err != nil {
		t.Fatalf("found %v, %v in an empty cache", found, err)
	}
	if err := c.Set(ctx, "k", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if value, found, err := c.Get(ctx, "k"); string(value) != "v" || !found || err != nil {
		t.Fatalf("got %q, %v, %v", value, found, err)
	}
	if err := c.Set(ctx, "k", []byte("v"), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for found := true; found; {
		var err error
		if _, found, err = c.Get(ctx, "k"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAServerThatComesAndGoes(t *testing.T) {
	server := storetest.NewRedis(t)
	c := open(t, server.URL())
	await(t, c, reason.Refused)
	server.Start()
	await(t, c, "")
	server.Stop()
	await(t, c, reason.Refused)
	server.Start()
	await(t, c, "")
	await(t, open(t, strings.Replace(server.URL(), storetest.Password, "wrong", 1)), reason.Auth)
	await(t, open(t, strings.Replace(server.URL(), ":"+storetest.Password+"@", "", 1)), reason.Auth)
}
