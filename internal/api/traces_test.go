package api_test

import (
	"log/slog"
	"maps"
	"strings"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/store/storetest"
	"zr/internal/api/traces"
)

// within returns the spans of a name that are calls of another.
func within(all []apitest.Span, parent apitest.Span, name string) (found []apitest.Span) {
	for _, s := range all {
		if s.Parent == parent.ID && s.Trace == parent.Trace && s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// Requests, and what they ask of PostgreSQL and Redis, are told to a receiver, within the
// trace of the caller and without anything secret; probes and what the api does by itself
// are not.
func TestTraces(t *testing.T) {
	receiver := apitest.NewReceiver(t, 1)
	server := storetest.NewPostgres(t)
	server.Start()
	settings := apitest.WithServers(t)
	settings["DATABASE_URL"] = server.URL("postgres")
	settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.URL + "/"
	settings["OTEL_EXPORTER_OTLP_HEADERS"] = "x-team=a%20b,x-more = c"
	settings["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip"
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10") // milliseconds
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	a := apitest.Run(t, settings)
	page := a.LogIn("operator")
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	asked := func(path string) apitest.Response {
		return a.Request("GET", path, append([]string{"Traceparent", "00-" + trace + "-" + caller + "-01", "X-Request-Id", "one"}, page...)...)
	}
	asked("/api/v1/activity?limit=7")
	asked("/nothing")
	server.Stop()
	asked("/api/v1/tokens")
	of := func(name string) func() (apitest.Span, bool) {
		return func() (apitest.Span, bool) {
			for _, s := range receiver.Spans() {
				if s.Name == name {
					return s, true
				}
			}
			return apitest.Span{}, false
		}
	}
	for _, name := range []string{"GET /api/v1/activity", "GET /api/v1/tokens", "POST /api/v1/session"} {
		a.Await("/health/live", func(apitest.Response) bool { _, told := of(name)(); return told })
	}
	a.Stop()
	all := receiver.Spans()
	activity, _ := of("GET /api/v1/activity")()
	if activity.Trace != trace || activity.Parent != caller || activity.Failed || activity.Nanoseconds <= 0 || activity.Attributes["http.route"] != "/api/v1/activity" ||
		activity.Attributes["http.response.status_code"] != int64(200) || activity.Attributes["zr.request_id"] != "one" {
		t.Errorf("a request is told as %+v", activity)
	}
	if sessions := within(all, activity, "redis get"); len(sessions) != 1 || sessions[0].Attributes["db.system.name"] != "redis" {
		t.Errorf("what it asks of Redis is told as %+v of %+v", sessions, all)
	}
	selects := within(all, activity, "postgresql SELECT")
	if len(selects) != 1 || !strings.Contains(selects[0].Attributes["db.query.text"].(string), "FROM audit") {
		t.Errorf("what it asks of PostgreSQL is told as %+v of %+v", selects, all)
	}
	if nothing, told := of("GET none")(); !told || nothing.Attributes["http.response.status_code"] != int64(404) {
		t.Errorf("what is not there is told as %+v", nothing)
	}
	failed, _ := of("GET /api/v1/tokens")()
	if !failed.Failed || failed.Attributes["http.response.status_code"] != int64(503) {
		t.Errorf("what failed is told as %+v", failed)
	}
	for _, s := range all {
		if strings.Contains(s.Name, "/health") || s.Parent == "" && !strings.HasPrefix(s.Name, "GET ") && !strings.HasPrefix(s.Name, "POST ") {
			t.Errorf("%s is told", s.Name)
		}
	}
	raw, header, about := receiver.Told()
	for _, secret := range []string{apitest.LoginKey, storetest.Password, strings.TrimPrefix(page[1], "zr_session="), "limit=7"} {
		if strings.Contains(raw, secret) {
			t.Errorf("%q is told", secret)
		}
	}
	if header.Get("X-Team") != "a b" || header.Get("X-More") != "c" || header.Get("Content-Encoding") != "gzip" {
		t.Errorf("the headers are %v", header)
	}
	if about["service.name"] != "zr-api" || about["deployment.environment.name"] != "test" || about["service.version"] == "" {
		t.Errorf("the sender is %v", about)
	}
}

// What the variables say wrong is said at the start; without an endpoint there is nothing.
func TestTracesSettings(t *testing.T) {
	for _, wrong := range []map[string]string{
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"},
		{"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"},
		{"OTEL_EXPORTER_OTLP_HEADERS": "secret"},
	} {
		settings := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
		maps.Copy(settings, wrong)
		tracer, err := traces.Open(func(name string) string { return settings[name] }, slog.New(slog.DiscardHandler))
		if err == nil || tracer != nil {
			t.Errorf("%v is taken", wrong)
			continue
		}
		for name, value := range wrong {
			if !strings.HasPrefix(err.Error(), name+": ") || value == "secret" && strings.Contains(err.Error(), value) {
				t.Errorf("%v: %v", wrong, err)
			}
		}
	}
	for _, off := range []map[string]string{{}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}} {
		if len(off) > 0 {
			off["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1"
		}
		if tracer, err := traces.Open(func(name string) string { return off[name] }, slog.New(slog.DiscardHandler)); err != nil || tracer != nil {
			t.Errorf("%v: %v, %v", off, tracer, err)
		}
	}
}
