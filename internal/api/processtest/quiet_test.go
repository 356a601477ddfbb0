package processtest_test

import (
	"crypto/tls"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/processtest"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

// counter stands in front of an API server and counts what comes by.
type counter struct {
	server *httptest.Server

	mu       sync.Mutex
	requests map[string]int // by method, and path where it is no watch
}

func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.requests
	c.requests = map[string]int{}
	return taken
}

// count returns a mount that leads through the counter.
func count(t testing.TB, mount map[string]string) (*counter, map[string]string) {
	t.Helper()
	c := &counter{requests: map[string]int{}}
	to := &url.URL{Scheme: "https", Host: mount["KUBERNETES_SERVICE_HOST"] + ":" + mount["KUBERNETES_SERVICE_PORT"]}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true},
		FlushInterval: -1,
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := r.Method + " " + r.URL.Path
		if r.URL.Query().Get("watch") == "true" {
			what = "watch"
		}
		c.mu.Lock()
		c.requests[what]++
		c.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	c.server = server
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(mount["SERVICE_ACCOUNT_DIR"], "ca.crt"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	counted := maps.Clone(mount)
	counted["KUBERNETES_SERVICE_HOST"], counted["KUBERNETES_SERVICE_PORT"] = u.Hostname(), u.Port()
	return c, counted
}

// quiet is four times the longest pause between two things that the api does by itself.
const quiet = 20 * time.Second

// TestAQuietTimeIsWatches counts what the API server is asked while nothing happens and
// somebody looks at the services, what they use, and the logs all the time.
func TestAQuietTimeIsWatches(t *testing.T) {
	c := processtest.New(t, kubetest.Server(t))
	kubelet := c.Node()
	c.Pod("web")
	c.Workload("db")
	kubelet.Write("web", "line 1")
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	asked, mount := count(t, c.Mount())
	a := processtest.Start(t, mount, map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL()})
	client := processtest.NewClient(t, a.Token(), func() []*processtest.API { return []*processtest.API{a} })
	a.Await("what is to be seen", func() bool {
		return len(client.Stored()) == 1 && asked.requestsOf("watch") > 0 && strings.Contains(client.Text(contract.Base+"/services"), `"db"`) &&
			strings.Contains(client.Text(contract.Base+"/overview"), `"usageWhy"`) // it has no metrics API
	})
	a.Await("the last list", func() bool {
		asked.take()
		time.Sleep(time.Second)
		return len(asked.take()) == 0
	})
	for end := time.Now().Add(quiet); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		client.Text(contract.Base + "/services")
		client.Text(contract.Base + "/overview")
		client.Text(contract.Base + "/logs?limit=10")
		client.Text(contract.Base + "/history")
	}
	for what, n := range asked.take() {
		if what != "watch" {
			t.Errorf("%s: %d times", what, n)
		}
	}
}

func (c *counter) requestsOf(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests[what]
}
