package livesync

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
	"zr/pkg/agentspec/wire"
)

func TestMain(m *testing.M) { agenttest.Main(m) }

// direct dials the agent without a tunnel.
type direct struct{ addr string }

func (d direct) Dial(ctx context.Context) (Stream, error) {
	var n net.Dialer
	c, err := n.DialContext(ctx, "tcp", d.addr)
	return Stream{c, "test"}, err
}

func dial(t testing.TB, a *agenttest.Agent, change func(*Options)) *Client {
	t.Helper()
	o := Options{Dialer: direct{a.Addr}, Token: a.Token}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := opened(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// opened returns a client that is connected.
func opened(ctx context.Context, o Options) (*Client, error) {
	s := Open(o)
	if _, err := s.connected(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func push(t testing.TB, s *Client, c Change) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	r, err := s.Push(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func goService(t testing.TB, b agenttest.Behaviour) *agenttest.Agent {
	a := agenttest.Start(t, agenttest.Options{Seed: map[string]string{"app": agenttest.App(t, b, 0)}, Build: "seed"})
	agenttest.Eventually(t, "the seed answers", func() bool { return a.Get("/") == b["id"] })
	return a
}

func version(t testing.TB, b agenttest.Behaviour, build string) Change {
	return Change{
		Files: map[string]Source{"app": {agenttest.App(t, b, 0)}}, Complete: true,
		Build: build, Restart: true,
	}
}

func TestSwap(t *testing.T) {
	a := goService(t, agenttest.Behaviour{"id": "one"})
	s := dial(t, a, nil)
	for _, v := range []string{"two", "three", "four"} {
		r := push(t, s, version(t, agenttest.Behaviour{"id": v}, "hash-"+v))
		t.Logf("%s: %+v", v, r)
		if r.Reason != "" || r.Build != "hash-"+v {
			t.Fatalf("result %+v", r)
		}
		if got := a.Get("/"); got != v {
			t.Fatalf("the service answers %q", got)
		}
		if got := a.Get("/health"); !strings.Contains(got, "hash-"+v) {
			t.Fatalf("health is %q", got)
		}
		if r.Bytes > 64<<10 {
			t.Errorf("sent %d bytes for a changed tail", r.Bytes)
		}
	}
	if st := s.State(); !st.Connected || !st.InStep || st.Status.Phase != wire.Healthy {
		t.Errorf("state %+v", st)
	}
}

func TestNothingToDo(t *testing.T) {
	a := goService(t, agenttest.Behaviour{"id": "one"})
	s := dial(t, a, nil)
	agenttest.Eventually(t, "healthy", func() bool { return s.State().Status.Phase == wire.Healthy })
	pid := s.State().Status.Pid
	r := push(t, s, version(t, agenttest.Behaviour{"id": "one"}, "seed"))
	if !r.Unchanged || r.Bytes != 0 || s.State().Status.Pid != pid {
		t.Errorf("result %+v, pid %d → %d", r, pid, s.State().Status.Pid)
	}
	r = push(t, s, version(t, agenttest.Behaviour{"id": "one"}, "another"))
	if r.Unchanged || !strings.Contains(a.Get("/health"), "another") {
		t.Errorf("another hash of the same binary: %+v", r)
	}
}

func TestRollBack(t *testing.T) {
	for name, b := range map[string]agenttest.Behaviour{
		"crash":         {"id": "bad", "crash": true},
		"never healthy": {"id": "bad", "sick": true},
		"not a program": nil,
	} {
		t.Run(name, func(t *testing.T) {
			a := goService(t, agenttest.Behaviour{"id": "good"})
			s := dial(t, a, nil)
			agenttest.Eventually(t, "healthy", func() bool { return s.State().Status.Phase == wire.Healthy })
			c := version(t, b, "hash-bad")
			if b == nil {
				file := filepath.Join(t.TempDir(), "app")
				if err := os.WriteFile(file, []byte("#!/no/such/program\n"), 0o755); err != nil {
					t.Fatal(err)
				}
				c.Files["app"] = Source{file}
			}
			r := push(t, s, c)
			t.Logf("%+v", r)
			if !r.RolledBack || r.Reason == "" || r.Build != "seed" {
				t.Fatalf("result %+v", r)
			}
			if a.Get("/") != "good" {
				t.Error("the good version does not answer")
			}
			if b["crash"] == true && !strings.Contains(strings.Join(r.Output, "\n"), "as it was told, in bad") {
				t.Errorf("output %q", r.Output)
			}
			r = push(t, s, version(t, agenttest.Behaviour{"id": "repaired"}, "hash-repaired"))
			if r.Reason != "" || a.Get("/") != "repaired" {
				t.Errorf("after a repair: %+v", r)
			}
		})
	}
}

// TestAPushWaitsForTheContainer pushes before there is anybody to connect to.
func TestAPushWaitsForTheContainer(t *testing.T) {
	a := goService(t, agenttest.Behaviour{"id": "one"})
	late := &lateDialer{direct: direct{a.Addr}, tried: make(chan struct{}), there: make(chan struct{})}
	s := Open(Options{Dialer: late, Token: a.Token})
	t.Cleanup(s.Close)
	if st := s.State(); st.Connected || st.Agreed {
		t.Errorf("state %+v", st)
	}
	pushed := make(chan Result, 1)
	go func() {
		r, err := s.Push(t.Context(), version(t, agenttest.Behaviour{"id": "two"}, "two"))
		if err != nil {
			t.Error(err)
		}
		pushed <- r
	}()
	<-late.tried
	close(late.there)
	if r := <-pushed; r.Build != "two" || a.Get("/") != "two" {
		t.Errorf("result %+v, %s answers", r, a.Get("/"))
	}
	if st := s.State(); !st.Agreed || !st.InStep {
		t.Errorf("state %+v", st)
	}
}

// lateDialer finds nobody until there is closed.
type lateDialer struct {
	direct
	once         sync.Once
	tried, there chan struct{}
}

func (l *lateDialer) Dial(ctx context.Context) (Stream, error) {
	select {
	case <-l.there:
		return l.direct.Dial(ctx)
	default:
		l.once.Do(func() { close(l.tried) })
		return Stream{}, errors.New("no pod runs")
	}
}

func TestDenied(t *testing.T) {
	a := goService(t, agenttest.Behaviour{"id": "one"})
	_, err := opened(t.Context(), Options{Dialer: direct{a.Addr}, Token: "another"})
	if !errors.Is(err, ErrRefused) {
		t.Errorf("with a wrong token: %v", err)
	}
}
