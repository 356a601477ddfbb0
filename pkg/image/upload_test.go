package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// sessions is a registry of blobs as the specification of OCI has it, on a bad line.
type sessions struct {
	host string
	// cut says how many bytes of a request arrive before the line is cut: all of them, and
	// the answer is lost, where that is more than it has. Nil, or less than zero: the line holds.
	cut func(r *http.Request, n int) int64
	// instead answers a request, where it returns true, in place of what has arrived.
	instead func(w http.ResponseWriter, r *http.Request, arrived int) bool

	mu       sync.Mutex
	blobs    map[string][]byte
	begun    map[string]*bytes.Buffer
	requests int
	arrived  int // bytes of blobs
	token    int // the only one that is good, where there are any
}

func newSessions(t *testing.T) *sessions {
	s := &sessions{blobs: map[string][]byte{}, begun: map[string]*bytes.Buffer{}}
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	return s
}

func (s *sessions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token > 0 {
		if r.URL.Path == "/token" {
			fmt.Fprintf(w, `{"token":"t%d"}`, s.token)
			return
		}
		if r.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", s.token) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, s.host))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
	}
	if r.URL.Path == "/v2/" {
		return
	}
	s.requests++
	limit := int64(-1)
	if s.cut != nil {
		limit = s.cut(r, s.requests)
	}
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	session := s.begun[id]
	switch {
	case limit >= 0 && r.Method != http.MethodPatch && limit < 100: // before it was done
		panic(http.ErrAbortHandler)
	case s.instead != nil && s.instead(w, r, s.have(id)):
	case r.Method == http.MethodHead:
		if s.blobs[id] == nil {
			w.WriteHeader(http.StatusNotFound)
		}
	case r.Method == http.MethodPost:
		id = fmt.Sprint(s.requests)
		s.begun[id] = &bytes.Buffer{}
		w.Header().Set("Location", r.URL.Path+id+"?_state=signed")
		w.WriteHeader(http.StatusAccepted)
	case session == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		s.state(w, r, session)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPatch:
		if at := r.Header.Get("Content-Range"); at == "" && session.Len() > 0 || at != "" && !strings.HasPrefix(at, fmt.Sprint(session.Len(), "-")) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		from := io.Reader(r.Body)
		if limit >= 0 {
			from = io.LimitReader(from, limit)
		}
		n, _ := io.Copy(session, from)
		s.arrived += int(n)
		s.state(w, r, session)
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut:
		delete(s.begun, id)
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256(session.Bytes()))
		if r.URL.Query().Get("digest") != digest {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.blobs[digest] = session.Bytes()
		w.WriteHeader(http.StatusCreated)
	}
	if limit >= 0 {
		panic(http.ErrAbortHandler)
	}
}

func (s *sessions) have(id string) int {
	if session := s.begun[id]; session != nil {
		return session.Len()
	}
	return 0
}

// state says how much of a session is there, by the number of the last byte: a session
// that has none says the same as one that has one.
func (s *sessions) state(w http.ResponseWriter, r *http.Request, session *bytes.Buffer) {
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(0, session.Len()-1)))
	w.Header().Set("Location", r.URL.Path+"?_state=signed")
}

// ended says how many bytes of blobs have arrived in how many requests, and whether a blob
// is there.
func (s *sessions) ended(content []byte) (arrived, requests int, right bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived, s.requests, bytes.Equal(s.blobs[blobDigest(content).String()], content)
}

// upload sends a blob without long pauses.
func (s *sessions) upload(ctx context.Context, t *testing.T, content []byte, tries int) error {
	t.Helper()
	repo, err := name.NewRepository(s.host + "/shop/api")
	if err != nil {
		t.Fatal(err)
	}
	registry := Registry{Keychain: Credentials{Username: "dev", Password: "secret"}}
	to, err := registry.blobsOf(ctx, repo)
	if err != nil {
		t.Fatal(err)
	}
	to.patience = remote.Backoff{Duration: time.Microsecond, Steps: tries}
	u := upload{to: to, digest: blobDigest(content), size: int64(len(content))}
	u.open = func(at int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content[at:])), nil }
	return u.run(ctx)
}

func blobDigest(content []byte) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256(content))}
}

// TestAnUploadGoesOn cuts the line anywhere: in a blob, before a request, and after it was
// done and before its answer. No byte that arrived is sent again.
func TestAnUploadGoesOn(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 0))
		content := noise(1 + random.IntN(1<<20))
		s, cuts, atMost := newSessions(t), 1+random.IntN(5), len(content)
		s.cut = func(r *http.Request, _ int) int64 {
			if cuts == 0 || random.IntN(2) == 0 {
				return -1
			}
			cuts--
			if r.Method == http.MethodPatch {
				atMost++ // a session of one byte is as one of none
			}
			return random.Int64N(int64(len(content)) * 5 / 4)
		}
		if err := s.upload(t.Context(), t, content, 6); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		if arrived, _, right := s.ended(content); !right || arrived > atMost {
			t.Errorf("seed %d: %d bytes arrived of a blob of %d", seed, arrived, len(content))
		}
	}
}

// TestAnUploadIsPatientWhileItMoves: a blob arrives on a line that is cut more often than
// anything is tried again, and is given up on one that takes nothing of it.
func TestAnUploadIsPatientWhileItMoves(t *testing.T) {
	content := noise(4 << 20)
	s := newSessions(t)
	s.cut = func(r *http.Request, _ int) int64 {
		if r.Method == http.MethodPatch {
			return progressLeast
		}
		return -1
	}
	err := s.upload(t.Context(), t, content, 2)
	if arrived, _, right := s.ended(content); !right || arrived != len(content) {
		t.Errorf("%v; %d bytes arrived", err, arrived)
	}
	for _, bytes := range []int64{0, 100} {
		s, tried := newSessions(t), atomic.Int32{}
		s.cut = func(r *http.Request, _ int) int64 {
			if r.Method != http.MethodPatch {
				return -1
			}
			tried.Add(1)
			return bytes
		}
		if err := s.upload(t.Context(), t, content, 6); err == nil || strings.Contains(err.Error(), "signed") || tried.Load() != 6 {
			t.Errorf("%d bytes at a time: %d tries, %v", bytes, tried.Load(), err)
		}
	}
}

// TestARegistryThatDoesNotGoOn: what it says of an upload that broke off is of no use, or
// false. The blob is sent as a whole, and what the registry has in the end is right.
func TestARegistryThatDoesNotGoOn(t *testing.T) {
	const broken = 300_000
	content := noise(1 << 20)
	asked := func(w http.ResponseWriter, r *http.Request, arrived int, status int, says string) bool {
		if r.Method != http.MethodGet || arrived == 0 {
			return false
		}
		w.Header().Set("Range", says)
		w.Header().Set("Location", r.URL.Path)
		w.WriteHeader(status)
		return true
	}
	says := func(status int, says string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, arrived int) bool {
			return asked(w, r, arrived, status, says)
		}
	}
	late := true
	for what, c := range map[string]struct {
		instead func(w http.ResponseWriter, r *http.Request, arrived int) bool
		arrived int
	}{
		"knows no such session":   {says(http.StatusNotFound, ""), len(content) + broken},
		"does not say":            {says(http.StatusMethodNotAllowed, ""), len(content) + broken},
		"refuses":                 {says(http.StatusBadRequest, ""), len(content) + broken},
		"has no range":            {says(http.StatusNoContent, ""), len(content) + broken},
		"has nothing":             {says(http.StatusNoContent, "0-0"), len(content) + broken},
		"says something":          {says(http.StatusNoContent, "many"), len(content) + broken},
		"says less than nothing":  {says(http.StatusNoContent, "0--7"), len(content) + broken},
		"says more than was sent": {says(http.StatusNoContent, fmt.Sprint("0-", len(content))), len(content) + broken},
		"says more than it has":   {says(http.StatusNoContent, fmt.Sprint("0-", broken+9)), len(content) + broken},
		"says less than it has":   {says(http.StatusNoContent, fmt.Sprint("0-", broken-9)), len(content) + broken},
		"speaks of bytes":         {says(http.StatusNoContent, fmt.Sprint("bytes=0-", broken-1)), len(content)},
		"has more when asked again": {func(w http.ResponseWriter, r *http.Request, arrived int) bool {
			if r.Method != http.MethodGet || !late {
				return false
			}
			late = false
			return asked(w, r, arrived, http.StatusNoContent, fmt.Sprint("0-", broken-9))
		}, len(content)},
		"has no time when asked": {func(w http.ResponseWriter, r *http.Request, arrived int) bool {
			if r.Method != http.MethodGet || !late {
				return false
			}
			late = false
			return asked(w, r, arrived, http.StatusServiceUnavailable, "")
		}, len(content)},
		"has lost a part": {func(w http.ResponseWriter, r *http.Request, arrived int) bool {
			if r.Method != http.MethodPut || late {
				return false
			}
			late = true
			w.WriteHeader(http.StatusBadRequest)
			return true
		}, 2 * len(content)},
	} {
		t.Run(what, func(t *testing.T) {
			s, cut := newSessions(t), true
			late = what != "has lost a part"
			s.instead = c.instead
			s.cut = func(r *http.Request, _ int) int64 {
				if r.Method != http.MethodPatch || !cut {
					return -1
				}
				cut = false
				return broken
			}
			if err := s.upload(t.Context(), t, content, 6); err != nil {
				t.Fatal(err)
			}
			if arrived, _, right := s.ended(content); !right || arrived != c.arrived {
				t.Errorf("%d bytes arrived, want %d", arrived, c.arrived)
			}
		})
	}
}

// TestARegistryThatRefusesABlob is not asked again.
func TestARegistryThatRefusesABlob(t *testing.T) {
	s := newSessions(t)
	s.instead = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method == http.MethodPatch {
			w.WriteHeader(http.StatusForbidden)
		}
		return r.Method == http.MethodPatch
	}
	err := s.upload(t.Context(), t, noise(1000), 6)
	if _, requests, _ := s.ended(nil); !denied(err) || requests != 3 {
		t.Errorf("%d requests, %v", requests, err)
	}
}

// TestAnUploadOutlivesItsToken: one that expires before the blob is sent, and one that does
// when the line was cut.
func TestAnUploadOutlivesItsToken(t *testing.T) {
	content := noise(1 << 20)
	for _, expires := range []string{http.MethodPatch, http.MethodGet} {
		s, cut := newSessions(t), true
		s.token = 1
		s.cut = func(r *http.Request, _ int) int64 {
			if r.Method == http.MethodPost && expires == http.MethodPatch && s.token == 1 {
				s.token = 2
			}
			if r.Method != http.MethodPatch || !cut {
				return -1
			}
			cut, s.token = false, 3
			return 300_000
		}
		err := s.upload(t.Context(), t, content, 6)
		if arrived, _, right := s.ended(content); !right || arrived != len(content) {
			t.Errorf("before %s: %v; %d bytes arrived", expires, err, arrived)
		}
	}
}

// TestAnUploadIsCancelled in the midst of the blob, and in a pause.
func TestAnUploadIsCancelled(t *testing.T) {
	why := errors.New("enough")
	for _, when := range []string{http.MethodPatch, http.MethodGet} {
		ctx, cancel := context.WithCancelCause(t.Context())
		s, ended := newSessions(t), make(chan struct{})
		s.cut = func(r *http.Request, _ int) int64 {
			if r.Method == when {
				cancel(why)
				<-ended
			}
			if r.Method == http.MethodPatch {
				return 1000
			}
			return -1
		}
		if err := s.upload(ctx, t, noise(1<<20), 6); !errors.Is(err, why) {
			t.Errorf("during %s: %v", when, err)
		}
		close(ended)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	tries := remote.Backoff{Duration: time.Hour, Steps: 2}
	err := patiently(ctx, &tries, func(error) bool { defer cancel(why); return true }, func() error { return io.EOF })
	if !errors.Is(err, why) {
		t.Error(err)
	}
}

// TestARegistryThatTakesBlobsElsewhere names another host, which takes them, or one that it
// has no business to have blobs sent to.
func TestARegistryThatTakesBlobsElsewhere(t *testing.T) {
	for elsewhere, want := range map[string]string{"localhost": "", "127.0.0.2": "private"} {
		store, reg := openStore(t), newRegistry(t)
		upstream, err := url.Parse("http://" + reg.host)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(upstream)
		proxy.ModifyResponse = func(resp *http.Response) error {
			if at := resp.Header.Get("Location"); resp.Request.Method == http.MethodPost {
				resp.Header.Set("Location", "http://"+elsewhere+":"+upstream.Port()+at)
			}
			return nil
		}
		server := httptest.NewServer(proxy)
		defer server.Close()
		img := imageOf(t, layerOf(t, store, "a", noise(100_000)))
		_, _, err = Pusher{Store: store}.Push(t.Context(), img, strings.TrimPrefix(server.URL, "http://")+"/shop/api", "zr")
		if sent := reg.uploaded.Load(); want == "" && (err != nil || sent < 100_000 || sent > 110_000) {
			t.Errorf("%d bytes arrived: %v", sent, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("to %s: %v", elsewhere, err)
		}
	}
}

// TestALineThatTakesNothing is given up, and one that waits for an answer is not.
func TestALineThatTakesNothing(t *testing.T) {
	request := func(rt http.RoundTripper) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://registry/", bytes.NewReader(noise(1000)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := idleLimiter{rt, 20 * time.Millisecond}.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	err := request(roundTripper(func(r *http.Request) (*http.Response, error) {
		if _, err := io.CopyN(io.Discard, r.Body, 10); err != nil {
			return nil, err
		}
		<-r.Context().Done()
		return nil, r.Context().Err()
	}))
	if err == nil || !strings.Contains(err.Error(), "stopped in the middle of a request") {
		t.Error(err)
	}
	err = request(roundTripper(func(r *http.Request) (*http.Response, error) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(60 * time.Millisecond):
			return &http.Response{Body: http.NoBody}, nil
		}
	}))
	if err != nil {
		t.Error(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
