package usage_test

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/usage"
)

// server answers like a Kubernetes API with this answer of the metrics API.
func server(t *testing.T, answer string) *httptest.Server {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/apis/metrics.k8s.io/v1beta1/namespaces/zr-test/pods" || answer == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func report(t *testing.T, s *usage.Source) usage.Report {
	t.Helper()
	r, err := s.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMetricsAPI(t *testing.T) {
	srv := server(t, `{"items":[{"metadata":{"name":"web-0"},"containers":[{"name":"web","usage":{"cpu":"250000000n","memory":"64Mi"}},{"name":"mesh","usage":{"cpu":"3m","memory":"1048576"}}]}]}`)
	s := usage.New(apitest.InCluster(t, srv), nil, nil)
	r := report(t, s)
	if web := r.Of[usage.Container{Pod: "web-0", Name: "web"}]; r.By != usage.ByMetricsAPI || web.Cores != 0.25 || web.Memory != 64<<20 {
		t.Errorf("got %+v", r)
	}
	if mesh := r.Of[usage.Container{Pod: "web-0", Name: "mesh"}]; mesh.Cores != 0.003 || mesh.Memory != 1<<20 {
		t.Errorf("got %+v", r)
	}
}

// Without a metrics API nothing is known, and why is said, but where kubelets may be asked.
func TestKubelets(t *testing.T) {
	srv := server(t, "")
	if r := report(t, usage.New(apitest.InCluster(t, srv), nil, nil)); r.By != "" || !strings.Contains(r.Why, "there is none") || !strings.Contains(r.Why, "does not ask kubelets") {
		t.Errorf("got %+v", r)
	}
	mount := t.TempDir()
	if err := os.WriteFile(filepath.Join(mount, "token"), []byte("of the account\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	summary := ""
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer of the account", r.URL.Path != "/stats/summary", r.URL.RawQuery != "only_cpu_and_memory=true":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			_, _ = io.WriteString(w, cmp.Or(summary, "{"))
		}
	}))
	defer kubelet.Close()
	node := func() []string { return []string{kubelet.Listener.Addr().String()} }
	ask := func() usage.Report {
		return report(t, usage.New(apitest.InCluster(t, srv), usage.NewKubelets(mount), node))
	}
	if r := ask(); r.By != "" || !strings.Contains(r.Why, "the kubelet: ") {
		t.Errorf("of an answer that ends: %+v", r)
	}
	summary = `{"pods":[{"podRef":{"name":"web-0","namespace":"zr-test"},"containers":[{"name":"web","cpu":{"usageNanoCores":5000000},"memory":{"workingSetBytes":4096}},{"name":"new","cpu":{},"memory":{}}]},
		{"podRef":{"name":"web-0","namespace":"other"},"containers":[{"name":"web","cpu":{"usageNanoCores":1},"memory":{"workingSetBytes":1}}]}]}`
	if r := ask(); r.By != usage.ByKubelet || len(r.Of) != 1 || r.Of[usage.Container{Pod: "web-0", Name: "web"}] != (usage.Use{Cores: 0.005, Memory: 4096}) {
		t.Errorf("got %+v", r)
	}
	if err := os.WriteFile(filepath.Join(mount, "token"), []byte("of somebody else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := ask(); r.By != "" || !strings.Contains(r.Why, "the kubelet: access denied") {
		t.Errorf("without the right: %+v", r)
	}
}

// Who does not wait is told nothing at first, and what is known as soon as it is. A cluster
// that has no metrics API is not asked for it each time.
func TestLatest(t *testing.T) {
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-answer
		w.WriteHeader(http.StatusNotFound)
	}))
	defer srv.Close()
	s := usage.New(apitest.InCluster(t, srv), nil, nil)
	if r, known := s.Latest(); known {
		t.Errorf("before anything is known: %+v", r)
	}
	<-asked
	close(answer)
	if r := report(t, s); r.Why == "" {
		t.Errorf("got %+v", r)
	}
	for range 100 {
		if r, known := s.Latest(); !known || !strings.Contains(r.Why, "there is none") {
			t.Fatalf("got %+v, %t", r, known)
		}
	}
	if len(asked) > 0 {
		t.Errorf("it was asked %d times more", len(asked))
	}
}
