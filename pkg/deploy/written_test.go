package deploy_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"zr/pkg/event"
)

// A run tells which workloads it has changed, with the time that the API server has noted
// in them, and nothing of those that were so before.
func TestWrittenWorkloadsAreTold(t *testing.T) {
	r := newRun(t)
	told := func() (said []string) {
		t.Helper()
		rendered, d := r.Render(), r.deployer()
		cs, err := d.Diff(t.Context(), rendered)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		err = d.Apply(t.Context(), rendered, cs, event.SinkFunc(func(e event.Event) {
			if w, is := e.(event.ServiceWritten); is {
				mu.Lock()
				defer mu.Unlock()
				said = append(said, fmt.Sprintf("%s/%s %s", w.Kind, w.Service, w.Written.Format(time.RFC3339)))
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(said)
		return said
	}
	noted := func(kind, resource, name string) string {
		t.Helper()
		for _, f := range r.admin.get(resource, r.Namespace, name).GetManagedFields() {
			if f.Manager == "zr" {
				return fmt.Sprintf("%s/%s %s", kind, name, f.Time.UTC().Format(time.RFC3339))
			}
		}
		t.Fatalf("zr has nothing of %s", name)
		return ""
	}
	got, web := told(), noted("Deployment", "deployments", "web")
	if want := []string{web, noted("StatefulSet", "statefulsets", "db")}; !slices.Equal(got, want) {
		t.Errorf("at first it tells %v, want %v", got, want)
	}
	if got := told(); len(got) != 0 {
		t.Errorf("where nothing was to be done it tells %v", got)
	}
	for started := time.Now(); time.Now().Unix() == started.Unix(); { // whole seconds are noted
		time.Sleep(10 * time.Millisecond)
	}
	r.Options.Settings["COLOUR"] = "green"
	got, now := told(), noted("Deployment", "deployments", "web")
	if !slices.Equal(got, []string{now}) || now == web {
		t.Errorf("a setting that the Deployment reads: it tells %v, want %s", got, now)
	}
}
