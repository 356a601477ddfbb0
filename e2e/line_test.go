package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"zr/internal/lab"
)

// line is the way from a zr to the API server of a cluster. It can be lost as that of a
// laptop which sleeps, it can hold a request up, and it counts what travels there and
// back on it. What comes by it is a request of the cluster's administrator.
type line struct {
	kubeconfig string // which leads to the API server by it

	proxy  httputil.ReverseProxy
	lost   atomic.Bool
	ended  chan struct{} // closed at the end of the test
	mu     sync.Mutex
	conns  []*lineConn
	dialed int      // connections since the count began that such a request came by
	asked  []string // requests since then
	turns  int      // questions on streams since then
	hold   *held    // nil where nothing is held up
}

// newLine leads to the API server that a kubeconfig names, under the same context.
func newLine(t *testing.T, kubeconfig string) *line {
	t.Helper()
	of := fieldsOf(t, kubeconfig)
	server, err := url.Parse(of("server"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := tls.X509KeyPair(decoded(t, of("client-certificate-data")), decoded(t, of("client-key-data")))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(decoded(t, of("certificate-authority-data")))
	l := &line{ended: make(chan struct{}), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	l.proxy = httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(server) },
		Transport:      &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{client}}},
		ModifyResponse: l.listen,
		FlushInterval:  -1,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	certificate, ca := selfSigned(t, "127.0.0.1")
	here := &lineListener{listen(t, "127.0.0.1:0"), l}
	served := &http.Server{
		Handler: l, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}, ErrorLog: l.proxy.ErrorLog,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, byConn{}, c.(*tls.Conn).NetConn())
		},
	}
	go func() { _ = served.ServeTLS(here, "", "") }()
	t.Cleanup(func() {
		close(l.ended)
		served.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, c := range l.conns {
			c.Conn.Close()
		}
	})
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: %[1]s, users: [{name: admin, user: {}}], contexts: [{name: %[1]s, context: {cluster: line, user: admin}}],
clusters: [{name: line, cluster: {server: "https://%[2]s", certificate-authority-data: %[3]s}}]}`, of("current-context"), here.Addr(), base64.StdEncoding.EncodeToString(ca))
	if err := os.WriteFile(l.kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

// fieldsOf returns the values in a kubeconfig with one cluster by their keys.
func fieldsOf(t *testing.T, kubeconfig string) func(key string) string {
	t.Helper()
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return func(key string) string {
		t.Helper()
		found := regexp.MustCompile(key + `: (\S+)`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s has no %s", kubeconfig, key)
		}
		return string(found[1])
	}
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lose swallows what is sent from now on, without a word to either side.
func (l *line) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost.Store(true)
	for _, c := range l.conns {
		c.dead.Store(true)
	}
}

// restore lets new connections through. Those from before are dead for good, as after
// a change of network.
func (l *line) restore() { l.lost.Store(false) }

// lineListener takes the connections to a line.
type lineListener struct {
	net.Listener
	line *line
}

func (a *lineListener) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &lineConn{Conn: conn, line: a.line}
	a.line.mu.Lock()
	defer a.line.mu.Unlock()
	c.dead.Store(a.line.lost.Load())
	c.fresh = true
	a.line.conns = append(a.line.conns, c)
	return c, nil
}

// lineConn is a connection to a line. When it is dead, neither end hears of the other
// again, nor that the other has ended.
type lineConn struct {
	net.Conn
	line  *line
	dead  atomic.Bool
	fresh bool // made since the count began, and not counted yet; guarded by the line's mu
}

// byConn finds the connection of a request.
type byConn struct{}

func (c *lineConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if !c.dead.Load() {
			return n, err
		}
		if err != nil {
			<-c.line.ended
			return 0, io.EOF
		}
	}
}

func (c *lineConn) Write(b []byte) (int, error) {
	if c.dead.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *lineConn) Close() error {
	if c.dead.Load() {
		return nil
	}
	return c.Conn.Close()
}

// held is a request that is held up.
type held struct {
	which   func(*http.Request) bool
	came    chan struct{} // closed when there is one
	release chan struct{}
	once    sync.Once
}

// holdUp holds up requests until release is called.
func (l *line) holdUp(which func(*http.Request) bool) (came <-chan struct{}, release func()) {
	h := &held{which: which, came: make(chan struct{}), release: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold = h
	return h.came, sync.OnceFunc(func() { close(h.release) })
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	if !aside(r) {
		l.asked = append(l.asked, r.Method+" "+r.URL.RequestURI())
		if c := r.Context().Value(byConn{}).(*lineConn); c.fresh {
			c.fresh = false
			l.dialed++
		}
	}
	h := l.hold
	l.mu.Unlock()
	if h != nil && h.which(r) {
		h.once.Do(func() { close(h.came) })
		select {
		case <-h.release:
		case <-r.Context().Done():
			return
		case <-l.ended:
			return
		}
	}
	l.proxy.ServeHTTP(w, r)
}

// aside says whether zr asks something by the clock, whatever else it does: whether the
// cluster is there, by a connection of its own, and to have its lease longer.
func aside(r *http.Request) bool {
	return r.URL.Path == "/readyz" || r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/leases/")
}

// count begins to count round trips. What it returns ends that: how many there were if
// each had waited for the one before, and what they were.
func (l *line) count() func() (trips int, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialed, l.asked, l.turns = 0, nil, 0
	for _, c := range l.conns {
		c.fresh = false
	}
	return func() (int, string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		// TCP and TLS take one each before the first request of a connection.
		return 2*l.dialed + len(l.asked) + l.turns, fmt.Sprintf("%d connections, %d requests, %d turns on streams\n%s", l.dialed, len(l.asked), l.turns, strings.Join(l.asked, "\n"))
	}
}

// listen counts the turns on a stream to a pod.
func (l *line) listen(r *http.Response) error {
	if both, ok := r.Body.(io.ReadWriteCloser); ok && r.StatusCode == http.StatusSwitchingProtocols {
		r.Body = &lineStream{ReadWriteCloser: both, line: l}
	}
	return nil
}

// lineStream is a stream to a pod. A turn of it is a question after an answer: what is
// sent in one go waits for nobody.
type lineStream struct {
	io.ReadWriteCloser
	line  *line
	asked bool // guarded by the line's mu
}

// smallTalk is the length of the largest message that nobody waits for: heartbeats,
// acknowledgements, and what frames them.
const smallTalk = 48

func (s *lineStream) Write(b []byte) (int, error) {
	if len(b) > smallTalk {
		s.line.mu.Lock()
		if !s.asked {
			s.line.turns++
		}
		s.asked = true
		s.line.mu.Unlock()
	}
	return s.ReadWriteCloser.Write(b)
}

func (s *lineStream) Read(b []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(b)
	if n > smallTalk {
		s.line.mu.Lock()
		s.asked = false
		s.line.mu.Unlock()
	}
	return n, err
}

// testSleep has a laptop sleep, with a save of the greeter in the midst, and wake up
// somewhere else. greets waits for a save, asks
// for the greeting, and wants few round trips where they were counted.
func testSleep(t *testing.T, p *lab.Project, l *line, dev *lab.Running, greets func(what, words string, mark int, trips func() (int, string))) {
	t.Helper()
	mark := dev.Mark()
	l.lose()
	p.Replace("greeter/words/words.go", "A good day.", "Good night.")
	dev.Wait(mark, "zr to say of the greeter that the connection is lost", func(e lab.Event) bool {
		return stateOf("greeter")(e) && e.Text("state") == "starting" && strings.Contains(e.Text("reason"), "the connection to the container was lost")
	})
	dev.Wait(mark, "zr to say of the cluster that it does not answer", problemOf("cluster"))
	if dev.Count(mark, reloaded("greeter")) != 0 {
		t.Error("with no way to the container a save is called live")
	}
	l.restore()
	greets("the save of meanwhile", "Good night.", mark, nil)
	dev.Wait(mark, "zr to take back that the cluster does not answer", cleared("cluster"))
	mark = dev.Mark()
	p.Replace("greeter/words/words.go", "Good night.", "How do you do?")
	greets("the save after it", "How do you do?", mark, nil)
}
