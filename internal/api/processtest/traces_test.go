package processtest_test

import (
	"slices"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/processtest"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

// TestTracesOfKubernetes has what a request asks of the API server told as a part of it,
// and nothing of the watches.
func TestTracesOfKubernetes(t *testing.T) {
	receiver := apitest.NewReceiver(t, 0)
	c := processtest.New(t, kubetest.Server(t))
	c.Workload("db")
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	a := processtest.Start(t, c.Mount(), map[string]string{
		"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL(), "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.URL, "OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_SERVICE_NAME": "control-room",
	})
	a.Await("the events of a service", func() bool { return a.Status(contract.Base+"/services/db/events") == 200 })
	var spans []apitest.Span
	a.Await("the span of a call of the API server", func() bool {
		spans = receiver.Spans()
		return slices.ContainsFunc(spans, func(s apitest.Span) bool {
			return s.Name == "kubernetes GET" && s.Attributes["url.path"] == "/api/v1/namespaces/"+c.Name+"/events" && s.Attributes["http.response.status_code"] == int64(200)
		})
	})
	for _, s := range spans {
		if s.Name == "kubernetes GET" && !slices.ContainsFunc(spans, func(of apitest.Span) bool {
			return of.ID == s.Parent && of.Trace == s.Trace && of.Name == "GET "+contract.Base+"/services/{name}/events"
		}) {
			t.Errorf("%+v is of no request", s)
		}
	}
	if _, _, about := receiver.Told(); about["service.name"] != "control-room" {
		t.Errorf("the sender is %v", about)
	}
}
