package layers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/klauspost/compress/zstd"

	"zr/internal/agent/layers"
	"zr/internal/testkit"
	"zr/pkg/event"
	"zr/pkg/image"
)

// near is a registry with an agent beside it, and a store of images far away.
type near struct {
	t      *testing.T
	store  *image.Store
	pusher image.Pusher
	told   *testkit.Recorder
	mender *Mender
	host   string

	pods    atomic.Int32
	far     atomic.Int64 // bytes that came to the registry from the store
	patched atomic.Int64 // and to the agent
	// instead, where it is set, may answer the agent in place of the registry.
	instead atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	client  *http.Client       // of the agent
	kill    context.CancelFunc // ends the agent
}

// fromStore marks the requests that do not come from the agent, those of the tests included.
type fromStore struct{}

func (fromStore) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-From", "store")
	return http.DefaultTransport.RoundTrip(r)
}

func newNear(t *testing.T) *near {
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	n := &near{t: t, store: store, told: &testkit.Recorder{}, client: http.DefaultClient}
	blobs := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-From") == "store" {
			r.Body = counted{r.Body, &n.far}
		} else if instead := n.instead.Load(); instead != nil && (*instead)(w, r) {
			return
		}
		blobs.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	n.host = strings.TrimPrefix(server.URL, "http://")
	n.mender = &Mender{Pod: func(context.Context) (*Pod, error) { return n.pod(t), nil }}
	t.Cleanup(func() { n.mender.Close() })
	n.pusher = image.Pusher{Store: store, Registry: image.Registry{Transport: fromStore{}}, Mender: n.mender, Sink: n.told}
	return n
}

// answer has what the agent asks for answered by f, where that returns true.
func (n *near) answer(f func(http.ResponseWriter, *http.Request) bool) { n.instead.Store(&f) }

// pod runs an agent.
func (n *near) pod(t *testing.T) *Pod {
	n.pods.Add(1)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	n.kill = stop
	server := &layers.Server{Token: "secret", Log: slog.New(slog.DiscardHandler), Client: n.client}
	go server.Serve(ctx, listener)
	return &Pod{Token: "secret", Close: stop, Dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
		if err != nil {
			return nil, err
		}
		return countedConn{conn, &n.patched}, nil
	}}
}

type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}

type countedConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.n.Add(int64(n))
	return n, err
}

// build puts an image of one layer into the store.
func (n *near) build(t *testing.T, content []byte) v1.Image {
	t.Helper()
	w, err := n.store.NewLayer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	layer, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layer)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := n.store.PutPinned(t.Context(), image.LocalName("shop", "api"), img, image.Built, "")
	if err != nil {
		t.Fatal(err)
	}
	if img, err = n.store.Get(t.Context(), entry.Name); err != nil {
		t.Fatal(err)
	}
	return img
}

// push pushes an image, has the registry hand all of it out, and returns how many bytes
// of it came from the store and went to the agent.
func (n *near) push(t *testing.T, img v1.Image) (far, patched int64) {
	t.Helper()
	before, was := n.far.Load(), n.patched.Load()
	ref, _, err := n.pusher.Push(t.Context(), img, n.host+"/shop/api", "tag")
	if err != nil {
		t.Fatal(err)
	}
	want, err := n.pusher.Name(t.Context(), img, n.host+"/shop/api")
	if err != nil || ref != want {
		t.Errorf("it was pushed as %s, and is %s by itself (%v)", ref, want, err)
	}
	pinned, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(pinned, remote.WithTransport(fromStore{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(pulled, validate.Fast); err != nil {
		t.Error(err)
	}
	return n.far.Load() - before, n.patched.Load() - was
}

// program is content that no compressor makes smaller, and the same with some bytes
// more in its middle.
func program(size int) (before, after []byte) {
	noise := rand.NewChaCha8([32]byte{1})
	before = make([]byte, size)
	_, _ = noise.Read(before)
	added := make([]byte, 100)
	_, _ = noise.Read(added)
	return before, bytes.Join([][]byte{before[:size/3], added, before[size/3:]}, nil)
}

func (n *near) notices() (texts []string) {
	for _, e := range n.told.Events() {
		if notice, ok := e.(event.Notice); ok {
			texts = append(texts, notice.Text)
		}
	}
	return texts
}

func TestPushesWhatHasChanged(t *testing.T) {
	n := newNear(t)
	before, after := program(5 << 20)
	if far, patched := n.push(t, n.build(t, before)); far < 5<<20 || patched != 0 {
		t.Errorf("the first image: %d bytes as a whole, %d to the agent", far, patched)
	}
	if far, patched := n.push(t, n.build(t, after)); far > 10<<10 || patched == 0 || patched > 50<<10 {
		t.Errorf("the second: %d bytes as a whole, %d to the agent", far, patched)
	}
	n.push(t, n.build(t, append([]byte("a line\n"), after...))) // a pod that runs is used again
	if pods, said := n.pods.Load(), n.notices(); pods != 1 || len(said) > 0 {
		t.Errorf("%d pods were made; it says %q", pods, said)
	}
}

func TestPushesTheWholeLayerWhereThatIsBetter(t *testing.T) {
	n := newNear(t)
	before, _ := program(2 << 20)
	n.push(t, n.build(t, before))
	small, smaller := program(100 << 10)
	n.push(t, n.build(t, small))
	if far, patched := n.push(t, n.build(t, smaller)); far < 100<<10 || patched != 0 {
		t.Errorf("a small layer: %d bytes as a whole, %d to the agent", far, patched)
	}
	other := make([]byte, 2<<20)
	_, _ = rand.NewChaCha8([32]byte{2}).Read(other)
	if far, patched := n.push(t, n.build(t, other)); far < 2<<20 || patched != 0 || n.pods.Load() != 0 {
		t.Errorf("another program: %d bytes as a whole, %d to the agent, %d pods", far, patched, n.pods.Load())
	}
}

func TestPushesTheWholeLayerWhereThePodCannot(t *testing.T) {
	before, after := program(2 << 20)
	for _, tc := range []struct {
		name  string
		fault func(*near)
		says  string
	}{
		{"the registry refuses it", func(n *near) {
			n.answer(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					http.Error(w, "not from here", http.StatusForbidden)
				}
				return r.Method == http.MethodPost
			})
		}, "403 Forbidden: not from here"},
		{"it is killed midway", func(n *near) {
			n.answer(func(_ http.ResponseWriter, r *http.Request) bool {
				n.kill()
				<-r.Context().Done() // the agent is gone
				return true
			})
		}, "the pod that pushes it: EOF"},
		{"it makes something else", func(n *near) {
			n.answer(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet {
					n.t.Errorf("it asks for %s %s", r.Method, r.URL) // and so pushes
				}
				encoder, err := zstd.NewWriter(w)
				if err == nil {
					_, err = encoder.Write(make([]byte, 2<<20)) // no layer that anybody pushed
				}
				if err = errors.Join(err, encoder.Close()); err != nil {
					n.t.Error(err)
				}
				return true
			})
		}, ": it became sha256:"},
		{"what it sends to the registry is dropped", func(n *near) {
			n.client = &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: 100 * time.Millisecond}}
			n.answer(func(_ http.ResponseWriter, r *http.Request) bool {
				<-r.Context().Done()
				return true
			})
		}, "timeout awaiting response headers"},
		{"it says nothing", func(n *near) {
			n.mender.patience = 100 * time.Millisecond
			n.mender.Pod = func(context.Context) (*Pod, error) { return silent(n.t), nil }
		}, "the pod that pushes it did not answer"},
		{"there is no pod", func(n *near) {
			n.mender.Pod = func(context.Context) (*Pod, error) { return nil, errors.New("the quota is full") }
		}, "the quota is full"},
		{"it has another token", func(n *near) {
			pod := n.mender.Pod
			n.mender.Pod = func(ctx context.Context) (*Pod, error) {
				p, err := pod(ctx)
				p.Token = "guessed"
				return p, err
			}
		}, "the pod that pushes it: EOF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := newNear(t)
			n.push(t, n.build(t, before))
			tc.fault(n)
			if far, _ := n.push(t, n.build(t, after)); far < 2<<20 {
				t.Errorf("%d bytes were pushed", far)
			}
			if said := n.notices(); len(said) != 1 || !strings.Contains(said[0], tc.says) || !strings.Contains(said[0], "travels as a whole") {
				t.Errorf("it says %q", said)
			}
		})
	}
}

// TestASilentPodIsWaitedForOnce has a pod that never answers be asked for two layers.
func TestASilentPodIsWaitedForOnce(t *testing.T) {
	n := newNear(t)
	before, after := program(2 << 20)
	n.push(t, n.build(t, before))
	n.mender.patience = 100 * time.Millisecond
	pod, dialed := silent(t), 0
	dial := pod.Dial
	pod.Dial = func(ctx context.Context) (io.ReadWriteCloser, error) { dialed++; return dial(ctx) }
	n.mender.Pod = func(context.Context) (*Pod, error) { return pod, nil }
	n.push(t, n.build(t, after))
	n.push(t, n.build(t, append([]byte("a line\n"), after...)))
	if said := n.notices(); dialed != 1 || len(said) != 2 || !strings.Contains(said[1], errSilent.Error()) {
		t.Errorf("it was dialed %d times; zr says %q", dialed, said)
	}
}

// TestASilentPodCanBeLeft ends a run that waits for a pod, in the way of Ctrl-C.
func TestASilentPodCanBeLeft(t *testing.T) {
	n := newNear(t)
	before, after := program(2 << 20)
	n.push(t, n.build(t, before))
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("interrupted")
	n.mender.Pod = func(context.Context) (*Pod, error) {
		pod := silent(t)
		dial := pod.Dial
		pod.Dial = func(ctx context.Context) (io.ReadWriteCloser, error) {
			defer cancel(stopped)
			return dial(ctx)
		}
		return pod, nil
	}
	img := n.build(t, after)
	if _, _, err := n.pusher.Push(ctx, img, n.host+"/shop/api", "tag"); !errors.Is(err, stopped) {
		t.Errorf("it ends with %v", err)
	}
	if said := n.notices(); len(said) > 0 {
		t.Errorf("it says %q", said)
	}
}

// silent is a pod whose connections lead nowhere, as where a node is gone.
func silent(t *testing.T) *Pod {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return &Pod{Token: "secret", Close: func() {}, Dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	}}
}

// TestPasswordsStayHere has a registry that takes passwords: they are no tokens that are
// good for one repository and a while.
func TestPasswordsStayHere(t *testing.T) {
	n := newNear(t)
	n.pusher.Registry.Keychain = password{}
	n.pusher.Registry.Transport = asks{fromStore{}}
	before, after := program(2 << 20)
	n.push(t, n.build(t, before))
	if far, patched := n.push(t, n.build(t, after)); far < 2<<20 || patched != 0 || n.pods.Load() != 0 {
		t.Errorf("%d bytes as a whole, %d to the agent, %d pods", far, patched, n.pods.Load())
	}
}

type password struct{}

func (password) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: "ann", Password: "secret"}, nil
}

// asks is a registry that wants a password.
type asks struct{ http.RoundTripper }

func (a asks) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" && r.Header.Get("Authorization") == "" {
		w := httptest.NewRecorder()
		w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
		w.WriteHeader(http.StatusUnauthorized)
		answer := w.Result()
		answer.Request = r
		return answer, nil
	}
	return a.RoundTripper.RoundTrip(r)
}
