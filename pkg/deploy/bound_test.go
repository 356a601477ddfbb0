package deploy_test

import (
	"testing"

	"zr/pkg/deploy/render"
)

// TestBound follows a RoleBinding with a label from its making to its end.
func TestBound(t *testing.T) {
	r := newRun(t)
	label := "example/of=" + r.Namespace
	bound := func(want bool) {
		t.Helper()
		if got, err := r.deployer().Bound(t.Context(), label); err != nil || got != want {
			t.Errorf("bound: %v, %v; want %v", got, err, want)
		}
	}
	bound(false)
	r.Options.Access = &render.Access{
		Name: "viewer", Role: []byte("rules: [{apiGroups: [\"\"], resources: [pods], verbs: [list]}]"),
		Labels: map[string]string{"example/of": r.Namespace}, Account: "api", Namespace: "elsewhere",
	}
	r.up()
	bound(true)
	r.remove(false)
	bound(false)
}
