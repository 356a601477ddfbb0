package services_test

import (
	"net/http"
	"strings"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/fleet"
)

func TestDetails200(t *testing.T) {
	a, _ := replica(t, newCluster(t), nil)
	got := a.Get("/api/v1/services/api/details")
	var d fleet.Details
	if got.Status != http.StatusOK {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	got.Decode(t, &d)
	if d.Name != "api" || d.Kind != "Deployment" || len(d.Containers) != 1 || len(d.Pods) != 1 || d.Pods[0].Containers[0].Restarts != 2 || d.UsageBy != "" ||
		!strings.Contains(d.UsageWhy, "metrics API of the cluster: there is none") {
		t.Errorf("got %s", got.Body)
	}
}

func TestDetails404(t *testing.T) {
	a, _ := replica(t, newCluster(t), nil)
	if got := a.Get("/api/v1/services/nobody/details"); got.Status != http.StatusNotFound || got.Problem(t) != "not_found" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}

func TestDetails503(t *testing.T) {
	c := newCluster(t)
	c.status.Store(http.StatusForbidden)
	a, _ := replica(t, c, nil)
	a.Await("/api/v1/services/api/details", func(r apitest.Response) bool {
		return r.Status == http.StatusServiceUnavailable && r.Problem(t) == "kubernetes_unavailable"
	})
}
