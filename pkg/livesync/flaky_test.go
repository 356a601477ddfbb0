package livesync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
	"zr/pkg/agentspec/wire"
	"zr/pkg/probe"
)

// flaky cuts its streams after a random number of bytes, in the middle of
// whatever is being written, as a killed zr or a lost network does.
type flaky struct {
	direct
	mu    sync.Mutex
	rand  *rand.Rand
	most  int // bytes until the cut; 0 for no cut
	dials int
}

func (f *flaky) Dial(ctx context.Context) (Stream, error) {
	s, err := f.direct.Dial(ctx)
	if err != nil {
		return s, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	if f.most > 0 {
		left := f.rand.IntN(f.most)
		if f.dials%4 == 0 {
			left += 1 << 20 // some get through
		}
		s.ReadWriteCloser = &cutting{ReadWriteCloser: s.ReadWriteCloser, left: left}
	}
	return s, nil
}

func (f *flaky) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.most = 0
}

type cutting struct {
	io.ReadWriteCloser
	mu   sync.Mutex
	left int
}

var errCut = errors.New("cut")

func (c *cutting) Write(b []byte) (int, error) {
	c.mu.Lock()
	n := min(len(b), c.left)
	c.left -= n
	c.mu.Unlock()
	if _, err := c.ReadWriteCloser.Write(b[:n]); err != nil {
		return 0, err
	}
	if n < len(b) {
		c.Close()
		return n, errCut
	}
	return n, nil
}

// nodeService is an agent whose process only stays alive.
func nodeService(t testing.TB, seed map[string]string) *agenttest.Agent {
	return agenttest.Start(t, agenttest.Options{
		Seed: seed, Command: []string{"sleep", "1000000"}, Probe: &probe.Probe{}, Build: "seed",
	})
}

// project is a folder of source files that a test edits.
type project struct {
	t    testing.TB
	dir  string
	rand *rand.Rand
}

func (p *project) write(path string, content []byte) {
	p.t.Helper()
	full := filepath.Join(p.dir, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		p.t.Fatal(err)
	}
	// As editors do: beside, then rename.
	if err := os.WriteFile(full+"~", content, 0o644); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(full+"~", full); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) files() map[string]Source {
	found := map[string]Source{}
	err := filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(p.dir, path)
			found[filepath.ToSlash(rel)] = Source{path}
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}

func (p *project) tree() wire.Tree {
	tree := wire.Tree{}
	for path, source := range p.files() {
		c, err := hash(source.Path)
		if err != nil {
			p.t.Fatal(err)
		}
		tree[path] = c.File
	}
	return tree
}

// edit makes a random change and returns it as a watcher would tell it.
func (p *project) edit() Change {
	names := []string{"a.ts", "b.ts", "big.bin", "dir/c.ts", "dir/sub/d.ts", "dir/sub/e.ts", "x/f.ts"}
	change := Change{Files: map[string]Source{}}
	for range 1 + p.rand.IntN(3) {
		name := names[p.rand.IntN(len(names))]
		full := filepath.Join(p.dir, name)
		switch p.rand.IntN(8) {
		case 0:
			os.Remove(full)
			delete(change.Files, name)
			change.Gone = append(change.Gone, name)
		case 1: // a folder with all that is in it
			os.RemoveAll(filepath.Join(p.dir, "dir"))
			change.Gone = append(change.Gone, "dir")
			maps.DeleteFunc(change.Files, func(q string, _ Source) bool { return strings.HasPrefix(q, "dir/") })
		default:
			size := p.rand.IntN(3000)
			if name == "big.bin" {
				size = p.rand.IntN(600_000)
			}
			content := make([]byte, size)
			for i := range content {
				content[i] = byte(p.rand.Uint32N(7)) // compressible
			}
			if old, err := os.ReadFile(full); err == nil && name == "big.bin" && p.rand.IntN(2) == 0 && len(old) > 0 {
				content = old
				content[p.rand.IntN(len(content))]++
			}
			p.write(name, content)
			change.Files[name] = Source{full}
			change.Gone = slices.DeleteFunc(change.Gone, func(g string) bool { return g == name })
		}
	}
	return change
}

// inContainer returns what lies in the synced folder, hashed anew.
func inContainer(t testing.TB, a *agenttest.Agent) wire.Tree {
	p := project{t: t, dir: a.Dir}
	return p.tree()
}

func TestRandomEdits(t *testing.T) {
	for name, c := range map[string]struct {
		rounds, cut int
		cancel      bool
	}{
		"nothing fails":          {1500, 0, false},
		"connections cut":        {400, 150_000, false},
		"cut and cancelled":      {400, 150_000, true},
		"cut within every hello": {60, 2_500, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(11, uint64(c.cut)))
			p := &project{t, t.TempDir(), r}
			a := nodeService(t, nil)
			network := &flaky{direct: direct{a.Addr}, rand: rand.New(rand.NewPCG(5, 5))}
			s := dial(t, a, func(o *Options) { o.Dialer = network })
			network.mu.Lock()
			network.most = c.cut
			network.mu.Unlock()
			if c.cut > 0 {
				s.mu.Lock()
				s.conn.stream.Close() // the next one is cut
				s.mu.Unlock()
			}
			for round := range c.rounds {
				change := p.edit()
				change.Build = fmt.Sprint("save ", round)
				ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
				if c.cancel && r.IntN(3) == 0 {
					ctx, cancel = context.WithTimeout(t.Context(), time.Duration(r.IntN(8000))*time.Microsecond)
				}
				res, err := s.Push(ctx, change)
				cancel()
				if c.cancel && err != nil && errors.Is(err, context.DeadlineExceeded) {
					continue
				}
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				if want := p.tree(); res.Tree != want.Sum() {
					t.Fatalf("round %d: the container says that it holds %s", round, res.Tree)
				}
				if round%25 == 0 {
					if got, want := inContainer(t, a), p.tree(); !maps.Equal(got, want) {
						t.Fatalf("round %d: in the container %v, here %v", round, got, want)
					}
				}
			}
			network.heal()
			res := push(t, s, Change{Files: p.files(), Complete: true, Build: "last"})
			if got, want := inContainer(t, a), p.tree(); !maps.Equal(got, want) || res.Tree != want.Sum() {
				t.Fatalf("at the end, in the container %v, here %v", got, want)
			}
			if st := s.State(); st.Status.Build != "last" || !st.InStep {
				t.Errorf("state %+v", st)
			}
			agenttest.Eventually(t, "nothing is left of cut transfers", func() bool {
				for _, own := range []string{"stage", "undo", "good"} {
					if left, err := os.ReadDir(filepath.Join(a.Volume, own)); err != nil || len(left) > 0 {
						return false
					}
				}
				return true
			})
			t.Logf("%d connections", network.dials)
		})
	}
}

// A zr that is killed in the middle of sending a binary leaves the running
// version as it was, and the next one finishes the job.
func TestKilledWhileSending(t *testing.T) {
	a := goService(t, agenttest.Behaviour{"id": "one"})
	next := agenttest.App(t, agenttest.Behaviour{"id": "two", "x": strings.Repeat("y", 100)}, 8<<20)
	r := rand.New(rand.NewPCG(2, 9))
	for range 25 {
		network := &flaky{direct: direct{a.Addr}, rand: r, most: 1 << 20}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		s, err := opened(ctx, Options{Dialer: network, Token: a.Token})
		if err != nil {
			cancel()
			continue // cut within the hello
		}
		go func() {
			s.mu.Lock()
			l := s.conn
			s.mu.Unlock()
			if l != nil {
				<-l.down
			}
			s.cancel(ErrClosed) // it does not come back
		}()
		s.pace.rate = 1e12 // raw
		_, err = s.Push(ctx, Change{Files: map[string]Source{"app": {next}}, Restart: true, Build: "two"})
		s.Close()
		cancel()
		if err == nil {
			t.Fatal("it was not cut")
		}
		if got := a.Get("/"); got != "one" {
			t.Fatalf("the service answers %q", got)
		}
	}
	s := dial(t, a, nil)
	push(t, s, Change{Files: map[string]Source{"app": {next}}, Restart: true, Build: "two"})
	if got := a.Get("/"); got != "two" {
		t.Fatalf("the service answers %q", got)
	}
}
