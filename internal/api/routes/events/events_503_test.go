package events_test

import "testing"

func TestEvents503(t *testing.T) {
	for name, refused := range map[string]string{
		"the events are not told": namespace + "events",
		"nothing is told":         namespace + "pods",
	} {
		if got := serve(t, "", refused).Get("/api/v1/services/web/events"); got.Status != 503 || got.Problem(t) != "kubernetes_unavailable" {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	}
}
