package services_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/fleet"
	"zr/internal/api/kube"
	"zr/internal/api/probe"
	"zr/internal/api/reason"
	"zr/internal/api/routes/services"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/storetest"
	"zr/internal/api/usage"
)

// cluster answers like the Kubernetes API of a namespace with two workloads, and
// counts what it is asked.
type cluster struct {
	done   chan struct{}
	status atomic.Int64 // 0 means 200
	asked  atomic.Int64
	pods   chan string // what the watch of pods tells
	client *kube.Client
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	workload := func(name string) string {
		return fmt.Sprintf(`{"metadata":{"name":%q,"uid":%[1]q,"generation":1,"annotations":{"deployment.kubernetes.io/revision":"1"}},"spec":{"replicas":1,
			"template":{"metadata":{"creationTimestamp":null},"spec":{"containers":[{"name":%[1]q,"image":"%[1]s:1"}]}}},
			"status":{"observedGeneration":1,"replicas":1,"readyReplicas":1,"updatedReplicas":1,"availableReplicas":1}}`, name)
	}
	pod := func(name, owner string) string {
		return fmt.Sprintf(`{"metadata":{"name":"%s-0","uid":"%[1]s-0","ownerReferences":[{"uid":%[2]q,"controller":true}]},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],
			"containerStatuses":[{"name":%[1]q,"ready":true,"started":true,"restartCount":2,"state":{"running":{"startedAt":"2026-01-02T12:00:00Z"}}}]}}`, name, owner)
	}
	answers := map[string]string{
		"/apis/apps/v1/namespaces/zr-test/deployments": `{"items":[` + workload("api") + `]}`,
		"/apis/apps/v1/namespaces/zr-test/replicasets": `{"items":[{"metadata":{"name":"api-1","uid":"rs","annotations":{"deployment.kubernetes.io/revision":"1"},
			"ownerReferences":[{"uid":"api","controller":true}]}}]}`,
		"/apis/apps/v1/namespaces/zr-test/statefulsets": `{"items":[` + workload("postgres") + `]}`,
		"/api/v1/namespaces/zr-test/pods":               `{"items":[` + pod("api", "rs") + `,` + pod("postgres", "postgres") + `]}`,
	}
	c := &cluster{done: make(chan struct{}), pods: make(chan string)}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		if strings.HasPrefix(r.URL.Path, "/apis/metrics.k8s.io/") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if status := c.status.Load(); status != 0 {
			w.WriteHeader(int(status))
			return
		}
		if r.URL.Query().Get("watch") != "" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			told := c.pods
			if !strings.HasSuffix(r.URL.Path, "/pods") {
				told = nil // nothing changes
			}
			for {
				select {
				case <-r.Context().Done():
					return
				case <-c.done:
					return
				case event := <-told:
					_, _ = io.WriteString(w, event)
					_ = http.NewResponseController(w).Flush()
				}
			}
		}
		_, _ = io.WriteString(w, cmp.Or(answers[r.URL.Path], `{"items":[]}`))
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(c.done) })
	c.client = apitest.InCluster(t, srv)
	return c
}

// replica serves the services of a cluster, as one replica of the api.
func replica(t *testing.T, c *cluster, checks map[string]probe.Check) (*apitest.App, *fleet.Reader) {
	t.Helper()
	reader := fleet.NewReader(c.client, probe.NewSet(checks), fleet.Self{Service: "api", Build: "b7"}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { reader.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return apitest.Serve(t, func(a *contract.API) {
		services.Add(a, environments.Only(&environments.Environment{Services: reader, Usage: usage.New(c.client, nil, reader.Nodes)}), nil)
	}), reader
}

var quiet = slog.New(slog.DiscardHandler)

func openCache(t *testing.T, url string) cache.Cache {
	t.Helper()
	c, err := cache.Open(url, 8, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestServices200(t *testing.T) {
	server := storetest.NewRedis(t)
	server.Start()
	shared := openCache(t, server.URL())
	c := newCluster(t)
	checks := map[string]probe.Check{
		"postgres": func(context.Context) error { return reason.With(reason.Auth, io.EOF) },
		"redis":    shared.Check,
	}
	a, _ := replica(t, c, checks)
	got := a.Get("/api/v1/services")
	if got.Status != 200 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	var s fleet.Snapshot
	got.Decode(t, &s)
	if s.Namespace != "zr-test" || s.Kubernetes.Status != "ok" || len(s.Services) != 3 {
		t.Fatalf("got %+v", s)
	}
	api, postgres, redis := s.Services[0], s.Services[1], s.Services[2]
	if api.Name != "api" || api.Kind != "Deployment" || api.State != fleet.Healthy || api.Build != "b7" || api.Restarts != 2 || api.Image != "api:1" || api.Measured.Status != "ok" {
		t.Errorf("got %+v", api)
	}
	if postgres.Kind != "StatefulSet" || postgres.State != fleet.Unhealthy || postgres.Reason.Code != fleet.Unreachable || postgres.Measured.Reason != reason.Auth {
		t.Errorf("got %+v %+v", postgres, postgres.Reason)
	}
	if redis.Kind != "" || redis.State != fleet.Healthy { // measured, and no workload of this namespace
		t.Errorf("got %+v", redis)
	}
}

func TestServices200WithoutKubernetesOrCache(t *testing.T) {
	c := newCluster(t)
	c.status.Store(http.StatusForbidden)
	down := openCache(t, "redis://127.0.0.1:1/0")
	a, _ := replica(t, c, map[string]probe.Check{"redis": down.Check})
	got := a.Get("/api/v1/services")
	var s fleet.Snapshot
	got.Decode(t, &s)
	if got.Status != 200 || s.Kubernetes.Status != "down" || s.Kubernetes.Reason != reason.Forbidden || len(s.Services) != 2 ||
		s.Services[1].State != fleet.Unhealthy || s.Services[1].Measured.Reason != reason.Refused {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	c.status.Store(0)
	back := func(r apitest.Response) bool {
		var s fleet.Snapshot
		r.Decode(t, &s)
		return s.Kubernetes.Status == "ok" && len(s.Services) == 3
	}
	a.Await("/api/v1/services", back)
}

func TestServices200OutsideOfACluster(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	a.Await("/health", apitest.Status(200))
	var s fleet.Snapshot
	got := a.Get("/api/v1/services")
	got.Decode(t, &s)
	if got.Status != 200 || s.Kubernetes.Reason != "not in a cluster" || len(s.Services) != 3 {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
