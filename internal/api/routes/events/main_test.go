package events_test

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/fleet"
	"zr/internal/api/routes/events"
)

const namespace = "/api/v1/namespaces/zr-test/"

// serve answers from a Kubernetes API of a namespace with the Deployment web, and these
// events. It refuses what has the path refused.
func serve(t *testing.T, told, refused string) *apitest.App {
	t.Helper()
	answers := map[string]string{
		"/apis/apps/v1/namespaces/zr-test/deployments": `{"items":[{"metadata":{"name":"web","uid":"web"},"spec":{"replicas":1}}]}`,
		namespace + "events":                           `{"items":[` + told + `]}`,
	}
	done := make(chan struct{})
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == refused && r.URL.Query().Get("fieldSelector") == "":
			w.WriteHeader(http.StatusInternalServerError)
		case r.URL.Query().Get("watch") != "": // nothing changes
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-done:
			}
		default:
			_, _ = io.WriteString(w, cmp.Or(answers[r.URL.Path], `{"items":[]}`))
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(done) })
	client := apitest.InCluster(t, srv)
	reader := fleet.NewReader(client, nil, fleet.Self{Service: "api"}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { reader.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return apitest.Serve(t, func(a *contract.API) {
		events.Add(a, environments.Only(&environments.Environment{Services: reader}), slog.New(slog.DiscardHandler))
	})
}
