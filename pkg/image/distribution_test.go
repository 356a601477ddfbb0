package image

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"zr/internal/testkit"
	"zr/pkg/event"
)

// distribution is the CNCF's registry behind a server of tokens, each of which is
// good for what it was asked for and no more. It counts the bytes that are sent to it.
type distribution struct {
	host     string
	sent     atomic.Int64
	unread   atomic.Value // the name of a repository that nobody may read
	breakOff atomic.Int64 // that many uploads end before any of it arrives
	cut      chan int64   // after how many bytes further ones end
	key      *rsa.PrivateKey
	cert     []byte
	tokens   atomic.Int64
}

func newDistribution(t *testing.T) *distribution {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		missing(t, err)
	}
	return serveDistribution(t, program)
}

// newestDistribution is a registry that lets uploads go on. No distribution packages it.
func newestDistribution(t *testing.T) *distribution {
	t.Helper()
	program := filepath.Join(t.TempDir(), "registry")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..", "hack", "registry")
	if said, err := build.CombinedOutput(); err != nil {
		missing(t, fmt.Errorf("%w: %s", err, said))
	}
	return serveDistribution(t, program)
}

// missing ends a test that lacks a program.
func missing(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("ZR_TEST_REQUIRE") != "" {
		t.Fatal(err)
	}
	t.Skip(err)
}

func serveDistribution(t *testing.T, program string) *distribution {
	t.Helper()
	d := &distribution{cut: make(chan int64, 100)}
	d.newKey(t)
	dir, port := t.TempDir(), testkit.FreePort(t)
	upstream := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // of connections that are cut
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			d.token(w, r)
			return
		}
		if r.Method == http.MethodPatch && d.breakOff.Add(-1) >= 0 {
			panic(http.ErrAbortHandler) // the connection is cut
		}
		r.Body = &countedReader{r.Body, func(n int) { d.sent.Add(int64(n)) }}
		if r.Method == http.MethodPatch && r.ContentLength > slack {
			select {
			case at := <-d.cut:
				r.Body = struct {
					io.Reader
					io.Closer
				}{io.LimitReader(r.Body, at), r.Body} // too short for its length
			default:
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d.host = strings.TrimPrefix(server.URL, "http://")
	for name, text := range map[string]string{
		"roots.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.cert})),
		"config.yml": fmt.Sprintf(`{version: "0.1", log: {level: error, accesslog: {disabled: true}}, storage: {filesystem: {rootdirectory: %q}},
http: {addr: %q, relativeurls: true, secret: test}, auth: {token: {realm: %q, service: registry, issuer: zrtest, rootcertbundle: %q}}}`,
			filepath.Join(dir, "data"), upstream.Host, server.URL+"/token", filepath.Join(dir, "roots.pem")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", filepath.Join(dir, "config.yml"))
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if answer, err := http.Get(upstream.String() + "/v2/"); err == nil {
			answer.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(output.Name())
			t.Fatalf("the registry does not answer: %s", said)
		}
	}
	return d
}

// newKey makes the certificate by which the registry knows its tokens.
func (d *distribution) newKey(t *testing.T) {
	t.Helper()
	var err error
	if d.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if d.cert, err = x509.CreateCertificate(rand.Reader, template, template, d.key.Public(), d.key); err != nil {
		t.Fatal(err)
	}
}

// token gives what is asked for to the one user there is.
func (d *distribution) token(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != "dev" || password != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	d.tokens.Add(1)
	type access struct {
		Type    string   `json:"type"`
		Name    string   `json:"name"`
		Actions []string `json:"actions"`
	}
	var granted []access
	for _, scope := range r.URL.Query()["scope"] {
		part := strings.Split(scope, ":")
		if len(part) == 3 && part[1] != d.unread.Load() {
			granted = append(granted, access{part[0], part[1], strings.Split(part[2], ",")})
		}
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return encode(data)
	}
	now := time.Now()
	signed := text(map[string]any{"typ": "JWT", "alg": "RS256", "x5c": []string{base64.StdEncoding.EncodeToString(d.cert)}}) + "." + text(map[string]any{
		"iss": "zrtest", "sub": "dev", "aud": "registry", "jti": fmt.Sprint(d.tokens.Load()),
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(), "access": granted,
	})
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, d.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(w, `{"token":%q}`, signed+"."+encode(signature))
}

// pusher is one run, as the user that the registry has.
func (d *distribution) pusher(s *Store) Pusher {
	return Pusher{Store: s, Shared: &Shared{}, Registry: Registry{Keychain: Credentials{Username: "dev", Password: "secret"}}}
}

const (
	baseSize, ownSize = 400 << 10, 20 << 10
	slack             = 30 << 10 // manifests, configs, the tar around a file
)

// TestWhatImagesShareIsSentOnce pushes images of one base to a registry that gives a
// repository no layers of others unless it is told where they are: in one run all at
// once, and in a later one beside an image that is there.
func TestWhatImagesShareIsSentOnce(t *testing.T) {
	s, d := openStore(t), newDistribution(t)
	base := layerOf(t, s, "base", noise(baseSize))
	image := func(service string) v1.Image { return imageOf(t, base, layerOf(t, s, service, noise(ownSize))) }
	first, p := image("api"), d.pusher(s)
	var group errgroup.Group
	for _, service := range []string{"api", "web", "worker"} {
		img := image(service)
		group.Go(func() error {
			_, _, err := p.Push(t.Context(), img, d.host+"/shop/"+service, "zr")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if sent := d.sent.Load(); sent > baseSize+3*ownSize+slack {
		t.Errorf("%d bytes sent for three images of one base", sent)
	}

	later := d.pusher(s)
	before := d.sent.Load()
	if _, _, err := later.Push(t.Context(), first, d.host+"/shop/api", "zr"); err != nil || d.sent.Load() != before {
		t.Errorf("%v; %d bytes sent for an image that is there", err, d.sent.Load()-before)
	}
	if _, stats, err := later.Push(t.Context(), image("admin"), d.host+"/shop/admin", "zr"); err != nil || stats.Layers != 1 || d.sent.Load()-before > ownSize+slack {
		t.Errorf("%v; %d bytes sent for another image of the base: %+v", err, d.sent.Load()-before, stats)
	}
}

// TestALayerThatMayNotBeReadIsSent has a user who may write to a repository, and
// not read it: what was sent there is sent to another once more.
func TestALayerThatMayNotBeReadIsSent(t *testing.T) {
	s, d := openStore(t), newDistribution(t)
	base, p := layerOf(t, s, "base", noise(baseSize)), d.pusher(s)
	for n, service := range []string{"api", "web"} {
		if n > 0 {
			d.unread.Store("shop/api")
		}
		if _, _, err := p.Push(t.Context(), imageOf(t, base, layerOf(t, s, service, noise(ownSize))), d.host+"/shop/"+service, "zr"); err != nil {
			t.Fatal(err)
		}
	}
	if sent := d.sent.Load(); sent < 2*baseSize {
		t.Errorf("%d bytes sent", sent)
	}
}

// TestAnUploadThatBreaksOffIsMadeAgain cuts connections in the midst of a push. What
// had arrived is not sent again.
func TestAnUploadThatBreaksOffIsMadeAgain(t *testing.T) {
	s, d := openStore(t), newDistribution(t)
	img := imageOf(t, layerOf(t, s, "base", noise(baseSize)), layerOf(t, s, "a", noise(ownSize)))
	d.breakOff.Store(2)
	if _, _, err := d.pusher(s).Push(t.Context(), img, d.host+"/shop/api", "zr"); err != nil {
		t.Fatal(err)
	}
	if sent := d.sent.Load(); sent > baseSize+ownSize+slack {
		t.Errorf("%d bytes arrived", sent)
	}
}

// TestAnUploadThatBreaksOffGoesOn cuts the line in the midst of a layer. A registry that
// can has each of its bytes sent once, and one that cannot has all of them sent again.
func TestAnUploadThatBreaksOffGoesOn(t *testing.T) {
	const size = 8 << 20
	cuts := []int64{2_000_000, 1, 3_000_000}
	for what, c := range map[string]struct {
		registry func(*testing.T) *distribution
		atMost   int64
	}{
		"it goes on":     {newestDistribution, size + slack},
		"it starts anew": {newDistribution, size + 5_000_001 + slack},
	} {
		t.Run(what, func(t *testing.T) {
			s, d := openStore(t), c.registry(t)
			for _, at := range cuts {
				d.cut <- at
			}
			p, sink := d.pusher(s), &recorder{}
			p.Sink = sink
			ref, stats, err := p.Push(t.Context(), imageOf(t, layerOf(t, s, "base", noise(size))), d.host+"/shop/api", "zr")
			if err != nil {
				t.Fatal(err)
			}
			sent := d.sent.Load()
			t.Logf("%d bytes of a layer of %d arrived, over %d cuts", sent, size, len(cuts)-len(d.cut))
			if sent > c.atMost || len(d.cut) > 0 || stats.Layers != 1 {
				t.Errorf("%d bytes arrived, %d cuts were not made: %+v", sent, len(d.cut), stats)
			}
			if entry, err := openStore(t).Pull(t.Context(), ref, p.Registry, nil); err != nil || !strings.HasSuffix(ref, entry.Digest) {
				t.Errorf("pulled %s: %v", ref, err)
			}
			for _, e := range sink.Events() {
				if at, ok := e.(event.StepProgress); ok && at.Done > at.Total {
					t.Errorf("%d bytes of %d are sent", at.Done, at.Total)
				}
			}
		})
	}
}
