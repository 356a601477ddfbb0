package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// watched is an API server that lists one object of each kind, and then tells
// what it is given for that kind.
type watched map[string]chan string

func (w watched) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	kinds := map[string]string{"deployments": "apps/v1 Deployment", "statefulsets": "apps/v1 StatefulSet", "namespaces": "v1 Namespace"}
	var version, kind string
	_, _ = fmt.Sscan(kinds[name], &version, &kind)
	out.Header().Set("Content-Type", "application/json")
	if w[name] == nil {
		out.WriteHeader(http.StatusForbidden)
		fmt.Fprint(out, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`)
		return
	}
	if r.URL.Query().Get("watch") == "" {
		fmt.Fprintf(out, `{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[`+one(kind, 1, "")+`]}`, kind+"List", version)
		return
	}
	out.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case e := <-w[name]:
			fmt.Fprint(out, e)
			out.(http.Flusher).Flush()
		}
	}
}

func one(kind string, replicas int, metadata string) string {
	version := "apps/v1"
	if kind == "Namespace" {
		version = "v1"
	}
	return fmt.Sprintf(`{"kind":%q,"apiVersion":%q,"metadata":{"name":"shop","namespace":"shop","uid":%q,"resourceVersion":"2"%s},
		"spec":{"replicas":%d,"template":{"metadata":{"labels":{"zr.dev/dev":"true"}}}}}`, kind, version, kind, metadata, replicas)
}

// TestFollowTellsWhatOthersDo scales, deletes, and deletes the namespace.
func TestFollowTellsWhatOthersDo(t *testing.T) {
	api := watched{"deployments": make(chan string), "statefulsets": make(chan string), "namespaces": make(chan string)}
	seen, follow := following(t, api)
	dev := map[string]string{"zr.dev/dev": "true"}
	wait := func(want Held) {
		t.Helper()
		for h := range seen {
			slices.SortFunc(h.Workloads, func(a, b Workload) int { return len(a.Kind) - len(b.Kind) })
			if cmp.Equal(want, h) {
				return
			}
		}
	}
	deployment, set := Workload{"Deployment", "shop", 1, 0, dev}, Workload{"StatefulSet", "shop", 1, 0, dev}
	wait(Held{Workloads: []Workload{deployment, set}})
	api["deployments"] <- `{"type":"MODIFIED","object":` + one("Deployment", 3, "") + `}`
	deployment.Replicas = 3
	wait(Held{Workloads: []Workload{deployment, set}})
	api["statefulsets"] <- `{"type":"MODIFIED","object":` + one("StatefulSet", 1, `,"deletionTimestamp":"2026-01-01T00:00:00Z"`) + `}`
	wait(Held{Workloads: []Workload{deployment}})
	api["namespaces"] <- `{"type":"MODIFIED","object":` + one("Namespace", 0, `,"deletionTimestamp":"2026-01-01T00:00:00Z"`) + `}`
	wait(Held{Gone: true, Workloads: []Workload{deployment}})
	if err := follow(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestANamespaceThatMayNotBeReadIsThere has a role that reads workloads only,
// and one that reads nothing.
func TestANamespaceThatMayNotBeReadIsThere(t *testing.T) {
	seen, follow := following(t, watched{"deployments": make(chan string), "statefulsets": make(chan string)})
	if h := <-seen; h.Gone || len(h.Workloads) != 2 {
		t.Errorf("held: %+v", h)
	}
	if err := follow(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_, follow = following(t, watched{})
	if err := follow(); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("who may read nothing: %v", err)
	}
}

// following begins a Follow. The function ends it, unless it has ended, and
// returns its error.
func following(t *testing.T, api watched) (seen chan Held, end func() error) {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	g := New(clientOf(t, server.URL), nil)
	t.Cleanup(g.Close)
	ctx, cancel := context.WithCancel(t.Context())
	seen = make(chan Held)
	ended := make(chan error, 1)
	go func() {
		ended <- g.Follow(ctx, "shop", func(h Held) {
			select {
			case seen <- h:
			case <-ctx.Done():
			}
		})
	}()
	return seen, func() error {
		if len(api) > 0 {
			cancel()
		}
		defer cancel()
		return <-ended
	}
}
