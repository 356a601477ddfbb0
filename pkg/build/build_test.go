package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"zr/pkg/build/internal/inputs"
	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/image"
)

// builderFunc is a Builder without inputs.
type builderFunc func(ctx context.Context, r Request) (Result, error)

func (f builderFunc) Inputs(context.Context, Request) (*InputSet, error) {
	return nil, errors.ErrUnsupported
}

func (f builderFunc) Build(ctx context.Context, r Request) (Result, error) { return f(ctx, r) }

func requests(names ...string) (list []Request) {
	for _, name := range names {
		list = append(list, Request{Service: name})
	}
	return list
}

// reloading is a builderFunc whose services are reloaded in place.
type reloading struct{ builderFunc }

func (reloading) DevMode(Request) (DevMode, error) { return DevMode{Reload: Sync}, nil }

func (reloading) Live(Request, *InputSet, string) (Live, error) {
	return Live{Folder: &Folder{Restarts: true}}, nil
}

func goSpec() config.Build { return config.Build{GoKeys: config.GoKeys{Go: "./x"}} }

func dockerfileSpec() config.Build {
	return config.Build{DockerfileKeys: config.DockerfileKeys{Dockerfile: "x"}}
}

// testKinds are two, of which one is reloaded in place. Their images have their names.
func testKinds() Kinds {
	named := func(name string) builderFunc {
		return func(context.Context, Request) (Result, error) { return Result{Name: name}, nil }
	}
	return Kinds{
		{
			Name: "go", New: func(Deps) Builder { return reloading{named("go")} },
			Tools:  func(config.Build) []Tool { return []Tool{{Name: "go", Min: "1.21"}, {Name: "git"}} },
			Advice: func(r Request, file, words string) string { return r.Service + file + words },
		},
		{
			Name: "dockerfile", New: func(Deps) Builder { return named("dockerfile") },
			Tools: func(config.Build) []Tool { return []Tool{{Name: "git"}} },
		},
	}
}

func TestTheSpecPicksTheKind(t *testing.T) {
	b := testKinds().With(Deps{})
	for want, spec := range map[string]config.Build{"go": goSpec(), "dockerfile": dockerfileSpec()} {
		if got, err := b.Build(t.Context(), Request{Spec: spec}); err != nil || got.Name != want {
			t.Errorf("built by %q, %v; want %q", got.Name, err, want)
		}
	}
	both := goSpec()
	both.Dockerfile = "y"
	for _, spec := range []config.Build{{}, both, {NodeKeys: config.NodeKeys{Node: "x"}}} {
		if _, err := b.Build(t.Context(), Request{Service: "s", Spec: spec}); err == nil || !strings.HasPrefix(err.Error(), `building image "s": `) {
			t.Errorf("%+v: err = %v", spec, err)
		}
	}
}

func TestAKindThatIsNotReloadedInPlace(t *testing.T) {
	kinds := testKinds()
	if !kinds.InPlace(goSpec()) || kinds.InPlace(dockerfileSpec()) || kinds.InPlace(config.Build{}) {
		t.Error("it is not the builder that says what is reloaded in place")
	}
	b := kinds.With(Deps{})
	r := Request{Service: "s", Spec: goSpec()}
	mode, err := b.DevMode(r)
	if live, lerr := b.Live(r, nil, ""); err != nil || lerr != nil || mode.Reload != Sync || !live.Folder.Restarts {
		t.Errorf("mode %+v, %v; live %+v, %v", mode, err, live, lerr)
	}
	r.Spec = dockerfileSpec()
	_, err = b.DevMode(r)
	if _, lerr := b.Live(r, nil, ""); err == nil || lerr == nil {
		t.Errorf("errors %v, %v", err, lerr)
	}
}

func TestWhatKindsNeedAndSay(t *testing.T) {
	kinds := testKinds()
	requests := []Request{{Service: "a", Spec: dockerfileSpec()}, {Service: "b", Spec: goSpec()}, {Service: "c", Spec: goSpec()}}
	if got := kinds.Tools(requests); !slices.Equal(got, []Tool{{Name: "go", Min: "1.21"}, {Name: "git"}}) {
		t.Errorf("tools %v", got)
	}
	if got := kinds.Tools(requests[:1]); !slices.Equal(got, []Tool{{Name: "git"}}) {
		t.Errorf("tools of the one: %v", got)
	}
	if got := kinds.Advice(requests[1], "f", "w"); got != "bfw" || kinds.Advice(requests[0], "f", "w") != "" {
		t.Errorf("advice %q", got)
	}
}

func TestAllKeepsTheBudget(t *testing.T) {
	var running, most atomic.Int32
	gate := make(chan struct{})
	b := builderFunc(func(_ context.Context, r Request) (Result, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		<-gate
		return Result{Service: r.Service}, nil
	})
	go func() {
		for range 6 {
			gate <- struct{}{}
		}
	}()
	var mu sync.Mutex
	var last event.StepProgress
	sink := event.SinkFunc(func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		if p := e.(event.StepProgress); p.Done >= last.Done {
			last = p
		}
	})
	results, err := All(t.Context(), b, requests("a", "b", "c", "d", "e", "f"), Parallel{Jobs: 2, Sink: sink, Step: "build"})
	if err != nil || most.Load() > 2 {
		t.Errorf("err = %v, %d at once", err, most.Load())
	}
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		if results[i].Service != name {
			t.Errorf("result %d is of %q", i, results[i].Service)
		}
	}
	if last.Done != 6 || last.Total != 6 {
		t.Errorf("the last progress is %+v", last)
	}
}

// TestAllEndsTheOthers: one failure cancels, and only it is reported.
func TestAllEndsTheOthers(t *testing.T) {
	started := make(chan struct{})
	b := builderFunc(func(ctx context.Context, r Request) (Result, error) {
		if r.Service == "bad" {
			<-started
			return Result{}, fault.Hint(errors.New("compile error"), "fix it")
		}
		close(started)
		<-ctx.Done()
		return Result{}, fmt.Errorf("building image %q: %w", r.Service, context.Cause(ctx))
	})
	_, err := All(t.Context(), b, requests("slow", "bad"), Parallel{Jobs: 2})
	if err == nil || err.Error() != "compile error" || fault.HintOf(err) != "fix it" {
		t.Errorf("err = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := All(ctx, b, requests("slow"), Parallel{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want a cancelled context", err)
	}
}

// oneFile is an input list with one file.
type oneFile string

func (f oneFile) List(context.Context) (inputs.List, error) {
	return inputs.List{Files: []string{string(f)}}, nil
}
func (f oneFile) Settings() string                       { return "" }
func (f oneFile) Shape(string, []byte) string            { return "" }
func (f oneFile) Relevant(inputs.Dir, string, bool) bool { return false }

type makeFixture struct {
	t    *testing.T
	deps Deps
	file string
	base string
	set  *InputSet
}

func newMake(t *testing.T) *makeFixture {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	f := &makeFixture{t: t, deps: Deps{Store: store, Cache: t.TempDir()}, file: filepath.Join(t.TempDir(), "input")}
	f.save("one")
	f.set = inputs.Load(filepath.Dir(f.file), "", oneFile(f.file))
	if err := f.set.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *makeFixture) save(text string) {
	if err := os.WriteFile(f.file, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *makeFixture) make(compile func() string) (Result, error) {
	r := Request{Service: "s", Project: "p", Mode: Release, Platform: "linux/amd64"}
	return f.deps.Make(f.t.Context(), Frame{Request: r, Inputs: f.set, Base: f.base, Assemble: func(ctx context.Context) (v1.Image, error) {
		base := empty.Image
		if f.base != "" {
			var err error
			if base, err = f.deps.Base(ctx, f.base); err != nil {
				return nil, err
			}
		}
		return mutate.Config(base, v1.Config{Env: []string{"content=" + compile()}})
	}})
}

// TestMakeFollowsSaves: a save while the compiler runs has it run again, so
// that image and hash belong together.
func TestMakeFollowsSaves(t *testing.T) {
	f := newMake(t)
	runs := 0
	result, err := f.make(func() string {
		runs++
		content, _ := os.ReadFile(f.file)
		if runs == 1 {
			f.save("saved meanwhile")
		}
		return string(content)
	})
	if err != nil {
		t.Fatal(err)
	}
	config, _ := result.Image.ConfigFile()
	if runs != 2 || config.Config.Env[0] != "content=saved meanwhile" || result.InputHash != f.set.Hash() {
		t.Errorf("%d runs, %q, hash %s of %s", runs, config.Config.Env, result.InputHash, f.set.Hash())
	}
	again, err := f.make(func() string { t.Error("made again"); return "" })
	if err != nil || !again.Cached || again.Digest != result.Digest {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestMakeGivesUp(t *testing.T) {
	f := newMake(t)
	runs := 0
	_, err := f.make(func() string { runs++; f.save(fmt.Sprint(runs)); return "" })
	if err == nil || runs != attempts {
		t.Errorf("err = %v after %d runs", err, runs)
	}
}

// TestMakeFollowsTheBase: a base that is not in the store is got along with
// the work, and another one under its name makes the image stale.
func TestMakeFollowsTheBase(t *testing.T) {
	f := newMake(t)
	f.base = "example.test/base:1"
	version := "1"
	f.deps.Base = func(ctx context.Context, ref string) (v1.Image, error) {
		img := mutate.Annotations(empty.Image, map[string]string{"version": version}).(v1.Image)
		_, err := f.deps.Store.Put(ctx, ref, img, image.Pulled, "")
		return img, err
	}
	for _, c := range []struct {
		version string
		cached  bool
	}{{"1", false}, {"1", true}, {"2", false}, {"2", true}, {"1", true}} {
		version = c.version
		result, err := f.make(func() string { return version })
		if err != nil || result.Cached != c.cached {
			t.Errorf("base %s: cached %v, %v; want %v", c.version, result.Cached, err, c.cached)
		}
	}
}

func TestClean(t *testing.T) {
	d := Deps{Cache: t.TempDir()}
	old, unlock, err := d.LockWorkDir(t.Context(), Request{Project: "p", Service: "old"})
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := os.WriteFile(filepath.Join(old, "binary"), make([]byte, 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	used, unlock, err := d.LockWorkDir(t.Context(), Request{Project: "p", Service: "used"})
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	freed, err := d.Clean(t.Context(), 24*time.Hour)
	if err != nil || freed != 1000 {
		t.Errorf("freed %d, %v", freed, err)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Error("the unused folder is there")
	}
	if _, err := os.Stat(used); err != nil {
		t.Error("the used folder is gone")
	}
}
