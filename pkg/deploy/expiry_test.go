package deploy_test

import (
	"slices"
	"testing"
	"time"

	"zr/pkg/deploy"
)

// TestTheTimeOfANamespace is in no manifest: it is no difference, and an apply leaves it.
func TestTheTimeOfANamespace(t *testing.T) {
	r := newRun(t)
	r.up()
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := r.deployer().Keep(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("after it was noted the change set does %v", actions(cs))
	}
	r.Edit("namespace.yaml", "{name:", "{labels: {a: b}, name:")
	r.up()
	for now, want := range map[time.Time]bool{until: false, until.Add(time.Second): true} {
		expired, err := r.deployer().Expired(t.Context(), now)
		if got := slices.Contains(expired, deploy.Expired{Set: r.Options.Set, Namespace: r.Namespace, Since: until.UTC()}); err != nil || got != want {
			t.Errorf("%s after its end: %v, %v", now.Sub(until), expired, err)
		}
	}
}
