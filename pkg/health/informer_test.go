package health

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"zr/pkg/diagnose"
)

// TestARefusalFromBefore has an event that tells of a refusal when the wait
// begins, and then happens again.
func TestARefusalFromBefore(t *testing.T) {
	event := func(version string) string {
		return `{"kind": "Event", "apiVersion": "v1", "metadata": {"name": "e", "namespace": "ns", "uid": "e", "resourceVersion": "` + version + `"},
			"involvedObject": {"kind": "StatefulSet", "uid": "s"}, "type": "Warning", "reason": "FailedCreate",
			"message": "create Pod db-0 in StatefulSet db failed error: pods \"db-0\" is forbidden: exceeded quota: q"}`
	}
	again := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		kind := path.Base(r.URL.Path)
		if r.URL.Query().Get("watch") != "" {
			w.(http.Flusher).Flush()
			if kind == "events" {
				<-again
				if err := json.NewEncoder(w).Encode(map[string]any{"type": "MODIFIED", "object": json.RawMessage(event("2"))}); err != nil {
					t.Error(err)
				}
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
			return
		}
		items := map[string]string{
			"statefulsets": `{"metadata": {"name": "db", "namespace": "ns", "uid": "s"}, "spec": {"replicas": 1}}`,
			"events":       event("1"),
		}[kind]
		name := map[string]string{"statefulsets": "StatefulSet", "events": "Event"}[kind]
		version := map[bool]string{true: "v1", false: "apps/v1"}[strings.HasPrefix(r.URL.Path, "/api/")]
		fmt.Fprintf(w, `{"kind": %q, "apiVersion": %q, "metadata": {"resourceVersion": "1"}, "items": [%s]}`, name+"List", version, items)
	}))
	t.Cleanup(server.Close)
	k := &kube{clientOf(t, server.URL)}
	b := newInformer(k, "ns", statefulSets, warnings)
	go func() { _ = b.run(t.Context()) }()
	<-b.synced
	target := Target{Target: diagnose.Target{Service: "db", Kind: "StatefulSet", Namespace: "ns"}}
	reason := func(s *diagnose.Snapshot) *diagnose.Reason { return s.Look(target.subject(), time.Now()).Why }
	s, changed, _ := b.look()
	if why := reason(s); why == nil || why.Text != "quota: exceeded quota: q" || why.Hopeless {
		t.Errorf("before: got %+v", why)
	}
	close(again)
	<-changed
	s, _, _ = b.look()
	if why := reason(s); why == nil || !why.Hopeless {
		t.Errorf("when it happened again: got %+v", why)
	}
}
