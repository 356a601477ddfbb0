package health

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"zr/internal/api/store/storetest"
	"zr/pkg/diagnose"
	"zr/pkg/probe"
)

// TestProbeMemcached asks real servers.
func TestProbeMemcached(t *testing.T) {
	open, stop := storetest.NewMemcached(t, false)
	closed, _ := storetest.NewMemcached(t, true)
	via := forward(t)
	asked := func(port int32) diagnose.Answer {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return ask(ctx, Target{Target: diagnose.Target{Probe: probe.Memcached}, Port: port}, via, "")
	}
	for port, want := range map[int]string{open: "VERSION ", closed: "asks for a password"} {
		deadline := time.Now().Add(time.Minute)
		got := asked(int32(port))
		for ; !got.OK && time.Now().Before(deadline); got = asked(int32(port)) {
			time.Sleep(10 * time.Millisecond) // it starts
		}
		if !got.OK || !strings.HasPrefix(got.Text, want) {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
	for what, c := range map[string]struct {
		port int32
		want string
	}{
		"no server":                        {closedPort(t), "connection refused"},
		"a server that hangs up":           {listen(t, func(net.Conn) {}), "closed the connection without an answer"},
		"a server that says nothing":       {listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "no answer in time"},
		"a server that cannot serve":       {listen(t, says("SERVER_ERROR out of memory\r\n")), "SERVER_ERROR out of memory"},
		"a server of something else":       {listen(t, says("HTTP/1.1 400 Bad Request\r\n\r\n")), "HTTP/1.1 400 Bad Request"},
		"a server whose line does not end": {listen(t, says(strings.Repeat("x", 1<<20))), strings.Repeat("x", 100)},
	} {
		if got := asked(c.port); got.OK || !strings.HasSuffix(got.Text, c.want) {
			t.Errorf("%s: got %+v, want %q", what, got, c.want)
		}
	}
	stop()
	if got := asked(int32(open)); got.OK {
		t.Errorf("a server that is gone: got %+v", got)
	}
}

// says answers whatever comes with a text.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 100))
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
	}
}
