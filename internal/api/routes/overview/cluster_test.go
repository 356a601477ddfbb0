package overview_test

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"zr/internal/api/apitest"
)

// metrics is the metrics API of a cluster.
type metrics struct {
	hold  sync.Mutex // held, it does not answer
	none  atomic.Bool
	asked atomic.Int64
}

// answers are those of a Kubernetes API: web has two pods, of which one is not measured,
// and idle has none.
var answers = map[string]string{
	"deployments": `{"items":[{"metadata":{"name":"idle","uid":"i"},"spec":{"replicas":0}},
		{"metadata":{"name":"web","uid":"w","annotations":{"deployment.kubernetes.io/revision":"1"}},"spec":{"replicas":2}}]}`,
	"replicasets": `{"items":[{"metadata":{"name":"web-1","uid":"rs","annotations":{"deployment.kubernetes.io/revision":"1"},"ownerReferences":[{"uid":"w","controller":true}]}}]}`,
	"pods":        `{"items":[` + pod("web-1") + `,` + pod("web-2") + `]}`,
}

const measured = `{"items":[{"metadata":{"name":"web-1"},"containers":[{"name":"main","usage":{"cpu":"250m","memory":"64Mi"}}]}]}`

func pod(name string) string {
	return `{"metadata":{"name":"` + name + `","uid":"` + name + `","ownerReferences":[{"uid":"rs","controller":true}]},
		"spec":{"containers":[{"name":"main","resources":{"limits":{"memory":"128Mi"}}}]},"status":{"phase":"Running","containerStatuses":[{"name":"main","state":{"running":{}}}]}}`
}

// served is an api in such a cluster.
func served(t *testing.T) (*apitest.App, *metrics) {
	t.Helper()
	m, ended := &metrics{}, make(chan struct{})
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/apis/metrics.k8s.io/"):
			m.asked.Add(1)
			m.hold.Lock()
			defer m.hold.Unlock()
			if m.none.Load() {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = io.WriteString(w, measured)
		case r.URL.Query().Get("watch") != "":
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-ended:
			}
		default:
			_, _ = io.WriteString(w, cmp.Or(answers[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]], `{"items":[]}`))
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(ended) })
	a, _ := serve(t, apitest.Mount(t, srv))
	return a, m
}
