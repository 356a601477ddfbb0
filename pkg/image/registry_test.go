package image

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"zr/internal/testkit"
	"zr/pkg/event"
)

// testRegistry is a registry that counts the bytes it is sent.
type testRegistry struct {
	host     string
	uploaded atomic.Int64
	requests atomic.Int64
}

func newRegistry(t *testing.T) *testRegistry {
	r := &testRegistry{}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		req.Body = &countedReader{req.Body, func(n int) { r.uploaded.Add(int64(n)) }}
		handler.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.host = strings.TrimPrefix(server.URL, "http://")
	return r
}

func TestPushSendsOnlyWhatIsMissing(t *testing.T) {
	s, reg := openStore(t), newRegistry(t)
	pusher := Pusher{Store: s}
	base := layerOf(t, s, "base", noise(500<<10))
	img := imageOf(t, base, layerOf(t, s, "a", noise(50<<10)))

	ref, stats, err := pusher.Push(t.Context(), img, reg.host+"/shop/api", "zr-1")
	if err != nil {
		t.Fatal(err)
	}
	if stats.Layers != 2 || stats.Bytes < 550<<10 || !strings.HasPrefix(ref, reg.host+"/shop/api@sha256:") {
		t.Errorf("pushed %s: %+v", ref, stats)
	}
	again, stats, err := pusher.Push(t.Context(), img, reg.host+"/shop/api", "zr-1")
	if err != nil || again != ref || stats.Bytes != 0 {
		t.Errorf("second push: %s, %+v, %v; want the same name and nothing sent", again, stats, err)
	}
	before := reg.uploaded.Load()
	changed := imageOf(t, base, layerOf(t, s, "a", noise(60<<10)))
	if _, stats, err = pusher.Push(t.Context(), changed, reg.host+"/shop/api", "zr-2"); err != nil || stats.Layers != 1 {
		t.Errorf("changed: %+v, %v; want one layer", stats, err)
	}
	if sent := reg.uploaded.Load() - before; sent > 70<<10 {
		t.Errorf("%d bytes sent for a layer of 60 KiB", sent)
	}
	if files, _ := os.ReadDir(s.path(ingestDir)); len(files) != 0 {
		t.Errorf("temporary files remain: %v", files)
	}
}

// TestNameOfAPushSendsNothing asks for the name that a registry would have an
// image by, as a diff does, before it is pushed.
func TestNameOfAPushSendsNothing(t *testing.T) {
	s, reg := openStore(t), newRegistry(t)
	pusher := Pusher{Store: s}
	img := imageOf(t, layerOf(t, s, "a", noise(50<<10)))
	named, err := pusher.Name(t.Context(), img, reg.host+"/shop/api")
	if err != nil || reg.requests.Load() != 0 {
		t.Fatalf("%d requests, %v", reg.requests.Load(), err)
	}
	if pushed, _, err := pusher.Push(t.Context(), img, reg.host+"/shop/api", "zr-1"); err != nil || pushed != named {
		t.Errorf("it is pushed as %s, %v; named was %s", pushed, err, named)
	}
}

// TestPushIsReproducible: another store and registry give the same digest, and
// what comes back has the same config and content.
func TestPushIsReproducible(t *testing.T) {
	content := noise(300 << 10)
	var refs []string
	for range 2 {
		s, reg := openStore(t), newRegistry(t)
		img := imageOf(t, layerOf(t, s, "a", content))
		ref, _, err := Pusher{Store: s}.Push(t.Context(), img, reg.host+"/shop/api", "zr")
		if err != nil {
			t.Fatal(err)
		}
		_, digest, _ := strings.Cut(ref, "@")
		refs = append(refs, digest)

		other := openStore(t)
		entry, err := other.Pull(t.Context(), ref, Registry{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if entry.Digest != digest || entry.Source != Pulled {
			t.Errorf("pulled %+v, want digest %s", entry, digest)
		}
		back, err := other.Get(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := intact(back); err != nil {
			t.Error(err)
		}
		local, _ := img.ConfigName()
		if remote, _ := back.ConfigName(); remote != local {
			t.Errorf("config is %s in the registry and %s here", remote, local)
		}
	}
	if refs[0] != refs[1] {
		t.Errorf("digests differ: %v", refs)
	}
}

// TestPushAfterAnotherEncoder: a digest learned from another encoder is found
// out and replaced.
func TestPushAfterAnotherEncoder(t *testing.T) {
	s, reg := openStore(t), newRegistry(t)
	layer := layerOf(t, s, "a", noise(1000))
	first, err := s.compressed(t.Context(), layer, func(rc io.ReadCloser) io.ReadCloser { return rc })
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	stale := `{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":7}`
	if err := s.replace(first.learnedName(), []byte(stale)); err != nil {
		t.Fatal(err)
	}
	ref, _, err := Pusher{Store: s}.Push(t.Context(), imageOf(t, layer), reg.host+"/shop/api", "zr")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(t).Pull(t.Context(), ref, Registry{}, nil); err != nil {
		t.Error(err)
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(n) // xorshift: does not compress, and is the same every time
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

type maker struct {
	key   string
	img   v1.Image
	calls int
	step  string // of the last call
}

func (m *maker) Key() string { return m.key }

func (m *maker) Make(_ context.Context, step string) (v1.Image, error) {
	m.calls++
	m.step = step
	return m.img, nil
}

// recorder keeps the events of a run.
type recorder struct{ testkit.Recorder }

func (r *recorder) notices() (texts []string) {
	for _, e := range r.Events() {
		if n, ok := e.(event.Notice); ok {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

// steps returns the steps that began and those that ended, in order.
func (r *recorder) steps() (began, ended []string) {
	for _, e := range r.Events() {
		switch e := e.(type) {
		case event.StepStarted:
			began = append(began, e.Step)
		case event.StepDone:
			ended = append(ended, e.Step)
		}
	}
	return began, ended
}

func TestResolverOrder(t *testing.T) {
	s, reg, node, sink := openStore(t), newRegistry(t), newMemoryNode(), &recorder{}
	img := imageOf(t, layerOf(t, s, "a", noise(1000)))
	makers := map[string]*maker{}
	r := &Resolver{Store: s, Sink: sink, Makers: func(ref string) (Maker, bool) { m, ok := makers[ref]; return m, ok }}
	inRegistry := reg.host + "/library/thing:1"
	tag, err := name.NewTag(inRegistry)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		t.Fatal(err)
	}
	makers[inRegistry] = &maker{key: "k"}

	ensure := func() Stats {
		t.Helper()
		stats, err := r.Ensure(t.Context(), []Node{node}, inRegistry)
		if err != nil {
			t.Fatal(err)
		}
		return stats
	}
	if got := ensure(); got.Layers != 1 {
		t.Errorf("first: %+v, want it pulled and loaded", got)
	}
	if entry, err := s.Find(inRegistry); err != nil || entry.Source != Pulled {
		t.Errorf("in the store: %+v, %v", entry, err)
	}
	asked := reg.requests.Load()
	if got := ensure(); got.Bytes != 0 {
		t.Errorf("second: %+v, want nothing sent", got)
	}
	node.images, node.content = map[string]string{}, map[string][]byte{}
	if got := ensure(); got.Layers != 1 {
		t.Errorf("on an empty node: %+v, want it loaded from the store", got)
	}
	if reg.requests.Load() != asked || makers[inRegistry].calls != 0 {
		t.Error("the registry or the maker was asked for what the store has")
	}
}

func TestResolverMakesWhatNoRegistryGives(t *testing.T) {
	s, reg, sink := openStore(t), newRegistry(t), &recorder{}
	absent := reg.host + "/library/absent:1"
	offline := "127.0.0.1:1/library/offline:1" // nothing listens on port 1
	m := &maker{key: "k1", img: imageOf(t, layerOf(t, s, "a", noise(1000)))}
	r := &Resolver{Store: s, Sink: sink, Makers: func(ref string) (Maker, bool) { return m, true }}
	for i, ref := range []string{absent, offline} {
		if _, err := r.Resolve(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		if m.calls != i+1 {
			t.Errorf("%s: %d calls of the maker, want %d", ref, m.calls, i+1)
		}
	}
	want := []string{"image/" + absent, "image/" + offline}
	if began, ended := sink.steps(); !slices.Equal(began, want) || !slices.Equal(ended, want) || m.step != want[1] {
		t.Errorf("steps that began %q and ended %q, the maker reports as %q; want %q", began, ended, m.step, want)
	}
	if got := sink.notices(); len(got) != 2 || !strings.Contains(got[1], "cannot be reached") {
		t.Errorf("notices: %q", got)
	}
	if _, err := r.Resolve(t.Context(), offline); err != nil || m.calls != 2 {
		t.Errorf("again: %d calls, %v; want it from the store", m.calls, err)
	}
	m.key = "k2"
	if entry, err := r.Fetch(t.Context(), offline); err != nil || m.calls != 3 || entry.Key != "k2" {
		t.Errorf("after the recipe changed: %d calls, %+v, %v; want it made anew", m.calls, entry, err)
	}
}

func TestResolverFails(t *testing.T) {
	reg := newRegistry(t)
	r := &Resolver{Store: openStore(t)}
	for ref, want := range map[string]string{
		reg.host + "/library/absent:1":  "NAME_UNKNOWN",
		"127.0.0.1:1/library/offline:1": ErrUnreachable.Error(),
		"localhost/shop/api:1":          "exists on this machine only",
	} {
		if _, err := r.Resolve(t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: err = %v, want %q in it", ref, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Resolve(ctx, reg.host+"/library/other:1"); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want a cancelled context", err)
	}
}

// TestSilentRegistry: a registry that stops in the middle of a layer is as good
// as none.
func TestSilentRegistry(t *testing.T) {
	s, reg := openStore(t), newRegistry(t)
	img := imageOf(t, layerOf(t, s, "a", noise(100_000)))
	ref, _, err := Pusher{Store: s}.Push(t.Context(), img, reg.host+"/shop/api", "zr")
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		resp, err := http.Get("http://" + reg.host + req.URL.Path)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.CopyN(w, resp.Body, 10_000)
		if resp.ContentLength > 10_000 {
			w.(http.Flusher).Flush()
			<-released
		}
	}))
	defer mute.Close()
	defer close(released)
	ref = strings.Replace(ref, reg.host, strings.TrimPrefix(mute.URL, "http://"), 1)
	rt := idleLimiter{http.DefaultTransport, 100 * time.Millisecond}
	if _, err = openStore(t).Pull(t.Context(), ref, Registry{Transport: rt}, nil); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("err = %v", err)
	}
}

// TestResolverDoesTheWorkOnce: many callers, one pull.
func TestResolverDoesTheWorkOnce(t *testing.T) {
	s := openStore(t)
	m := &maker{key: "k", img: imageOf(t, layerOf(t, s, "a", noise(1000)))}
	r := &Resolver{Store: s, Makers: func(string) (Maker, bool) { return m, true }}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := r.Resolve(t.Context(), "localhost/zr/node:24"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if m.calls != 1 {
		t.Errorf("made %d times", m.calls)
	}
}
