package storetest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"zr/internal/testkit"
)

// Redis is a Redis server that a test can stop and start. It forgets
// everything when it stops.
type Redis struct {
	t    testing.TB
	dir  string
	port int
	proc *process
}

// NewRedis makes a server of the test's own, which does not run yet. It is
// removed with the test.
func NewRedis(t testing.TB) *Redis {
	t.Helper()
	binary(t, "redis-server")
	r := &Redis{t: t, dir: folder(t, "zrtest-redis-"), port: testkit.FreePort(t)}
	t.Cleanup(func() {
		r.Stop()
		_ = os.RemoveAll(r.dir)
	})
	return r
}

// Start starts the server and returns when it answers.
func (r *Redis) Start() {
	r.t.Helper()
	cmd := command(r.dir, binary(r.t, "redis-server"), "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nsave \"\"\nrequirepass %s\n", r.port, r.dir, Password))
	r.proc = start(r.t, cmd)
	o, err := redis.ParseURL(r.URL())
	if err != nil {
		r.t.Fatal(err)
	}
	o.MaxRetries = -1
	client := redis.NewClient(o)
	defer client.Close()
	r.proc.await(r.t, func() error { return client.Ping(context.Background()).Err() })
}

// Stop stops the server at once; connections break.
func (r *Redis) Stop() {
	if r.proc != nil {
		r.proc.stop(syscall.SIGKILL)
		r.proc = nil
	}
}

// URL returns the URL of the server's first database.
func (r *Redis) URL() string { return fmt.Sprintf("redis://:%s@%s/0", Password, address(r.port)) }
