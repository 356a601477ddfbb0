package metrics_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"zr/internal/api/apitest"
	"zr/internal/api/store/storetest"
	"zr/pkg/apiclient"
	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
)

// Each number moves by what it counts.
func TestMetrics200(t *testing.T) {
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	settings := map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL(), "LOGIN_KEY": apitest.LoginKey, "ZR_BUILD_HASH": "0123456789abcdef", "POSTGRES_CONNECTIONS": "5"}
	s := newScraper(t, settings)
	first := s.scrape()
	for name, want := range map[string]float64{
		`zr_api_pool_connections_max{pool="postgres"}`: 5, `zr_api_pool_connections_max{pool="logs"}`: 8, `zr_api_pool_connections_max{pool="redis"}`: 16,
		`zr_api_dependency_up{dependency="postgres"}`: 1, `zr_api_dependency_up{dependency="redis"}`: 1,
		"zr_api_attached_runs": 0, "zr_api_audit_records_waiting": 0, "zr_api_audit_records_skipped_total": 0, `zr_api_log_lines_waiting{environment="none"}`: 0,
	} {
		if got, there := first[name]; !there || got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
	for _, name := range []string{"zr_api_schema_version", "go_goroutines", "process_resident_memory_bytes"} {
		if first[name] < 1 {
			t.Errorf("%s is %v", name, first[name])
		}
	}
	for name := range first {
		if strings.HasPrefix(name, "zr_api_build_info") && (!strings.Contains(name, `build="0123456789abcdef"`) || !strings.Contains(name, `go="go1`)) {
			t.Errorf("%s does not say what runs", name)
		}
	}

	s.Request(http.MethodGet, "/api/v1/services", "X-Request-Id", "one")
	s.Get("/api/v1/tokens")
	s.Request("BREW", "/api/v1/services")
	s.Get("/nothing/here")
	next := s.scrape()
	for name, by := range map[string]float64{
		`zr_api_requests_total{method="GET",route="/api/v1/services",status="200"}`: 1,
		`zr_api_request_seconds_count{route="/api/v1/services"}`:                    1,
		`zr_api_requests_total{method="GET",route="/api/v1/tokens",status="401"}`:   1,
		`zr_api_requests_total{method="other",route="none",status="405"}`:           1,
		`zr_api_requests_total{method="GET",route="none",status="404"}`:             1,
		`zr_api_requests_total{method="GET",route="/metrics",status="200"}`:         1,
	} {
		if moved := next[name] - first[name]; moved != by {
			t.Errorf("%s has moved by %v", name, moved)
		}
	}

	const streams = `zr_api_streams_open{route="/api/v1/live/services"}`
	conn, _, err := websocket.Dial(t.Context(), s.URL()+"/api/v1/live/services", nil)
	if err != nil {
		t.Fatal(err)
	}
	s.await(streams, is(1))
	_ = conn.CloseNow()
	s.await(streams, is(0))
	s.await(`zr_api_requests_total{method="GET",route="/api/v1/live/services",status="101"}`, is(1))
	if n := s.scrape()[`zr_api_request_seconds_count{route="/api/v1/live/services"}`]; n != 0 {
		t.Error("how long somebody watched is taken for the time of a request")
	}

	l := attachment.New(devattach.Hello{Run: "one", Verb: devattach.Dev})
	defer l.Close()
	l.Found(apiclient.Address{Base: s.URL(), Key: apitest.LoginKey}, "")
	s.await("zr_api_attached_runs", is(1))
	other := newScraper(t, settings)
	s.await("zr_api_other_replicas", is(1))
	other.Stop()
	s.await("zr_api_other_replicas", is(0))
	s.await(`zr_api_pool_connections{pool="redis",state="idle"}`, above(0))

	server.Stop() // who has scraped may go on
	s.await(`zr_api_dependency_up{dependency="postgres"}`, is(0))
	s.Request(http.MethodGet, "/api/v1/activity") // refused
	s.await("zr_api_audit_records_waiting", above(0))
	server.Start()
	s.await("zr_api_audit_records_waiting", is(0))
	redis.Stop()
	s.await(`zr_api_dependency_up{dependency="redis"}`, is(0))
}

// A token that was never shown does not let in while the database is away, and one that
// was lets read only.
func TestMetrics503(t *testing.T) {
	server := storetest.NewPostgres(t)
	server.Start()
	settings := apitest.WithServers(t)
	settings["DATABASE_URL"] = server.URL("postgres")
	s := newScraper(t, settings)
	a := s.App
	var made struct{ Secret string }
	page := a.LogIn("operator")
	a.Send(http.MethodPost, "/api/v1/tokens", `{"name":"script","role":"operator"}`, page...).Decode(t, &made)
	script := []string{"Authorization", "Bearer " + made.Secret}
	if got := a.Request(http.MethodGet, "/metrics", script...); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	server.Stop()
	if got := s.Request(http.MethodGet, "/metrics", s.token...); got.Status != 503 || got.Problem(t) != "database_unavailable" {
		t.Errorf("a token that was not shown: %d %s", got.Status, got.Body)
	}
	if got := a.Request(http.MethodGet, "/metrics", script...); got.Status != 200 {
		t.Errorf("one that was: %d %s", got.Status, got.Body)
	}
	if got := a.Send(http.MethodPost, "/api/v1/dev/apply", "", script...); got.Status != 503 || got.Problem(t) != "database_unavailable" {
		t.Errorf("it changes something: %d %s", got.Status, got.Body)
	}
	server.Start()
	a.Await("/health", apitest.Status(200))
	if got := a.Request(http.MethodDelete, "/api/v1/tokens/2", page...); got.Status != 204 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	server.Stop()
	if got := a.Request(http.MethodGet, "/metrics", script...); got.Status != 503 {
		t.Errorf("one that was revoked: %d %s", got.Status, got.Body)
	}
}
