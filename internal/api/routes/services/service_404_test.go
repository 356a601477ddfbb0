package services_test

import "testing"

// A service that is not there is told from one that cannot be seen.
func TestService404(t *testing.T) {
	c := newCluster(t)
	a, _ := replica(t, c, nil)
	if got := a.Get("/api/v1/services/postgres"); got.Status != 200 {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if got := a.Get("/api/v1/services/nobody"); got.Status != 404 || got.Problem(t) != "not_found" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	c.status.Store(500)
	unseen, _ := replica(t, c, nil)
	if got := unseen.Get("/api/v1/services/nobody"); got.Status != 503 || got.Problem(t) != "kubernetes_unavailable" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
