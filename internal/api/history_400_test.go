package api

import (
	"net/url"
	"strings"
	"testing"
)

func TestHistory400(t *testing.T) {
	a := run(t, withServers(t))
	for _, query := range []string{"limit=0", "limit=501", "limit=-1", "limit=many", "service=" + strings.Repeat("x", 254), "service=a%00b", "service=%ff"} {
		got := a.get("/api/v1/history?" + query)
		if got.status != 400 || got.errorCode(t) != "bad_request" {
			t.Errorf("%s: got %d %s", query, got.status, got.body)
		}
	}
}

func TestHistoryTakesAnyTextAsAServiceName(t *testing.T) {
	a := run(t, withServers(t))
	got := a.await("/api/v1/history?service="+url.QueryEscape("' OR 1=1; DROP TABLE service_health; --"), status(200))
	if got.body != "{\"events\":[]}\n" {
		t.Errorf("got %s", got.body)
	}
}
