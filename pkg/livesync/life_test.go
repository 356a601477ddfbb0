package livesync

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
	"zr/internal/testkit"
	"zr/pkg/agentspec/wire"
)

func TestReplay(t *testing.T) {
	a := nodeService(t, nil)
	p := &project{t, t.TempDir(), rand.New(rand.NewPCG(1, 1))}
	p.write("a.ts", []byte("one"))
	p.write("dir/b.ts", []byte("two"))
	replays := make(chan Result, 8)
	s := dial(t, a, func(o *Options) {
		o.OnReplay = func(r Result, err error) {
			if err != nil {
				t.Error(err)
			}
			replays <- r
		}
	})
	push(t, s, Change{Files: p.files(), Complete: true, Build: "one"})

	// The container is replaced by one that knows nothing of it.
	a.Kill()
	if err := os.RemoveAll(a.Volume); err != nil {
		t.Fatal(err)
	}
	a.Run(t)
	r := <-replays
	if want := p.tree().Sum(); r.Tree != want || r.Build != "one" || inContainer(t, a).Sum() != want {
		t.Errorf("replayed %+v", r)
	}

	// It comes back with everything: nothing to do, and nothing is said.
	agenttest.Eventually(t, "the state is saved", func() bool {
		_, err := os.Stat(filepath.Join(a.Volume, "state.json"))
		return err == nil
	})
	boot := s.State().Status.Boot
	a.Kill()
	a.Run(t)
	agenttest.Eventually(t, "connected again and in step", func() bool {
		st := s.State()
		return st.InStep && st.Status.Boot != boot && st.Status.Build == "one"
	})
	if len(replays) > 0 {
		t.Errorf("replayed %+v", <-replays)
	}

	// Files that change while it is away are made up for by the next push.
	a.Kill()
	p.write("a.ts", []byte("three"))
	done := make(chan error, 1)
	go func() {
		_, err := s.Push(context.Background(), Change{Files: map[string]Source{"a.ts": {filepath.Join(p.dir, "a.ts")}}, Build: "two"})
		done <- err
	}()
	agenttest.Eventually(t, "the loss is noticed", func() bool { return !s.State().Connected })
	a.Run(t)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := inContainer(t, a).Sum(); got != p.tree().Sum() {
		t.Error("the container holds something else")
	}
}

// TestReplayOfWhatWasTakenBack: a container that comes up while the last save is
// a bad one gets the version that ran before, and the bad one no second time.
func TestReplayOfWhatWasTakenBack(t *testing.T) {
	for name, bad := range map[string]agenttest.Behaviour{
		"at once":      {"id": "bad", "crash": true},
		"on its trial": {"id": "bad", "crashWith": filepath.Join(t.TempDir(), "now")},
	} {
		t.Run(name, func(t *testing.T) {
			a := goService(t, agenttest.Behaviour{"id": "image"})
			replays := make(chan Result, 8)
			s := dial(t, a, func(o *Options) {
				o.OnReplay = func(r Result, err error) {
					if err != nil {
						t.Error(err)
					}
					replays <- r
				}
			})
			good := version(t, agenttest.Behaviour{"id": "good"}, "good")
			push(t, s, good)
			sum, err := hash(good.Files["app"].Path)
			if err != nil {
				t.Fatal(err)
			}
			agenttest.Eventually(t, "a copy is kept", func() bool { _, _, ok := s.programs.look(sum.Sum); return ok })
			r := push(t, s, version(t, bad, "bad"))
			if bad["crash"] == nil {
				if err := os.WriteFile(bad["crashWith"].(string), nil, 0o600); err != nil {
					t.Fatal(err)
				}
				agenttest.Eventually(t, "it is taken back", func() bool { return s.State().Status.RolledBack })
			} else if !r.RolledBack {
				t.Fatalf("result %+v", r)
			}
			for range 2 { // and of those after that one, too
				a.Kill()
				if err := os.RemoveAll(a.Volume); err != nil {
					t.Fatal(err)
				}
				a.Run(t)
				if r := <-replays; r.Reason != "" || r.Build != "good" || a.Get("/") != "good" {
					t.Fatalf("replayed %+v", r)
				}
				if s.State().InStep {
					t.Error("it is in step with a save that it does not hold")
				}
			}
			if r := push(t, s, version(t, agenttest.Behaviour{"id": "repaired"}, "repaired")); r.Reason != "" || !s.State().InStep {
				t.Errorf("result %+v", r)
			}
			if n := strings.Count(a.Output(), "panic: "); n != 1 {
				t.Errorf("it crashed %d times", n)
			}
		})
	}
}

func TestReplaced(t *testing.T) {
	a := nodeService(t, nil)
	first := dial(t, a, nil)
	dial(t, a, nil)
	agenttest.Eventually(t, "the first client ends", func() bool { return errors.Is(first.State().Err, ErrReplaced) })
	if _, err := first.Push(t.Context(), Change{Complete: true}); !errors.Is(err, ErrReplaced) {
		t.Errorf("a push of the first client: %v", err)
	}
}

// frozen lets nothing through any more, without an error, as a network that
// is gone.
type frozen struct {
	io.ReadWriteCloser
	once sync.Once
	ice  chan struct{}
	end  chan struct{}
}

func (f *frozen) Read(b []byte) (int, error) {
	n, err := f.ReadWriteCloser.Read(b)
	select {
	case <-f.ice:
		<-f.end
		return 0, io.EOF
	default:
		return n, err
	}
}

func (f *frozen) Write(b []byte) (int, error) {
	select {
	case <-f.ice:
		<-f.end
		return 0, io.ErrClosedPipe
	default:
		return f.ReadWriteCloser.Write(b)
	}
}

func (f *frozen) Close() error {
	f.once.Do(func() { close(f.end); f.ReadWriteCloser.Close() })
	return nil
}

type freezing struct {
	direct
	ice chan struct{}
	n   int
}

func (f *freezing) Dial(ctx context.Context) (Stream, error) {
	s, err := f.direct.Dial(ctx)
	if err != nil {
		return s, err
	}
	if f.n++; f.n == 1 {
		s.ReadWriteCloser = &frozen{ReadWriteCloser: s.ReadWriteCloser, ice: f.ice, end: make(chan struct{})}
	}
	return s, nil
}

func TestDeadConnection(t *testing.T) {
	a := nodeService(t, nil)
	ice := make(chan struct{})
	var mu sync.Mutex
	var lost []error
	s := dial(t, a, func(o *Options) {
		o.Dialer = &freezing{direct: direct{a.Addr}, ice: ice}
		o.OnChange = func(st State) {
			mu.Lock()
			defer mu.Unlock()
			if !st.Connected {
				lost = append(lost, st.Err)
			}
		}
	})
	close(ice)
	begin := time.Now()
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	push(t, s, Change{Files: map[string]Source{"x": {file}}}) // waits for the new connection
	t.Logf("noticed and repaired after %s", time.Since(begin))
	agenttest.Eventually(t, "the loss is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(lost) > 0 || s.State().Connected
	})
}

// slow lets so many bytes through per second.
type slow struct {
	direct
	rate float64
}

type throttled struct {
	io.ReadWriteCloser
	rate float64
}

func (t throttled) Write(b []byte) (int, error) {
	n := 0
	for len(b) > 0 {
		part := b[:min(len(b), 16<<10)]
		time.Sleep(time.Duration(float64(len(part)) / t.rate * float64(time.Second)))
		m, err := t.ReadWriteCloser.Write(part)
		n += m
		if err != nil {
			return n, err
		}
		b = b[len(part):]
	}
	return n, nil
}

func (s slow) Dial(ctx context.Context) (Stream, error) {
	st, err := s.direct.Dial(ctx)
	st.ReadWriteCloser = throttled{st.ReadWriteCloser, s.rate}
	return st, err
}

// A newer push does not wait for one that it makes useless, and what arrives says how
// fast the way is.
func TestNewestWins(t *testing.T) {
	a := nodeService(t, nil)
	s := dial(t, a, func(o *Options) { o.Dialer = slow{direct{a.Addr}, 4e6} })
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(4, 4))
	noise := make([]byte, 60<<20)
	for i := range noise {
		noise[i] = byte(r.Uint32()) & 15 // half of it is air, as in programs
	}
	big, small := filepath.Join(dir, "big"), filepath.Join(dir, "small")
	for path, content := range map[string][]byte{big: noise, small: []byte("x")} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := s.Push(ctx, Change{Files: map[string]Source{"f": {big}}})
		first <- err
	}()
	agenttest.Eventually(t, "it is being sent", func() bool {
		s.mu.Lock()
		l := s.conn
		s.mu.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		s.pace.mu.Lock()
		defer s.pace.mu.Unlock()
		return l.acked > 4<<20 && s.pace.rate < firstRate // which what arrives corrects
	})
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first push: %v", err)
	}
	res := push(t, s, Change{Files: map[string]Source{"f": {small}}})
	if res.Bytes > 1000 {
		t.Errorf("sent %d bytes", res.Bytes)
	}
	if b, err := os.ReadFile(filepath.Join(a.Dir, "f")); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
}

// A change whose push is cancelled while somebody else has the turn comes with
// the next push.
func TestCancelledBeforeItsTurn(t *testing.T) {
	a := nodeService(t, nil)
	s := dial(t, a, nil)
	p := &project{t: t, dir: t.TempDir()}
	p.write("one.ts", []byte("1"))
	p.write("two.ts", []byte("2"))
	of := func(name string) Change {
		return Change{Files: map[string]Source{name: {filepath.Join(p.dir, name)}}}
	}
	if err := s.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Push(cancelled, of("one.ts")); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled push: %v", err)
	}
	s.release()
	push(t, s, of("two.ts"))
	if got, want := inContainer(t, a), p.tree(); !maps.Equal(got, want) {
		t.Errorf("in the container %v, here %v", got, want)
	}
}

func TestForce(t *testing.T) {
	a := nodeService(t, nil)
	s := dial(t, a, nil)
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	files := map[string]Source{"x": {file}}
	push(t, s, Change{Files: files})
	before, err := os.Stat(filepath.Join(a.Dir, "x"))
	if err != nil {
		t.Fatal(err)
	}
	if r := push(t, s, Change{Files: files}); !r.Unchanged {
		t.Errorf("the same again: %+v", r)
	}
	push(t, s, Change{Files: files, Force: true})
	if after, err := os.Stat(filepath.Join(a.Dir, "x")); err != nil || os.SameFile(before, after) {
		t.Errorf("by force: it was not put in place again (%v)", err)
	}
	agenttest.Eventually(t, "healthy", func() bool { return s.State().Status.Phase == wire.Healthy })
	pid := s.State().Status.Pid
	push(t, s, Change{Restart: true, Force: true})
	if st := s.State().Status; st.Pid == pid || st.Phase != wire.Healthy {
		t.Errorf("a restart by force: %+v", st)
	}
}

func TestBadPaths(t *testing.T) {
	a := nodeService(t, nil)
	s := dial(t, a, nil)
	for _, p := range []string{"../x", "/x", ""} {
		if _, err := s.Push(t.Context(), Change{Files: map[string]Source{p: {"/etc/hostname"}}}); err == nil {
			t.Errorf("%q was pushed", p)
		}
		if _, err := s.Push(t.Context(), Change{Gone: []string{p}}); err == nil {
			t.Errorf("%q was deleted", p)
		}
	}
}

// TestFileAndFolderChangePlaces: the watcher's word may be older than the disk.
func TestFileAndFolderChangePlaces(t *testing.T) {
	a := nodeService(t, nil)
	dir := t.TempDir()
	s := dial(t, a, nil)
	change := func(names ...string) Change {
		c := Change{Files: map[string]Source{}}
		for _, name := range names {
			c.Files[name] = Source{filepath.Join(dir, name)}
		}
		return c
	}
	swap := func(from, to string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
		testkit.WriteFile(t, filepath.Join(dir, to), to)
	}
	for range 2 {
		swap("a", "a/x")
		push(t, s, change("a", "a/x"))
		if got := inContainer(t, a); len(got) != 1 || got["a/x"].Size != 3 {
			t.Fatalf("the container holds %v", got)
		}
		swap("a", "a")
		push(t, s, change("a", "a/x"))
		if got := inContainer(t, a); len(got) != 1 || got["a"].Size != 1 {
			t.Fatalf("the container holds %v", got)
		}
	}
}
