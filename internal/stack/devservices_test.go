package stack

import (
	"testing"

	"zr/pkg/deploy/render"
)

// TestWhichPortOfAServiceIsAsked is about what stands for a readiness probe where the
// manifest has none.
func TestWhichPortOfAServiceIsAsked(t *testing.T) {
	web := render.Container{Name: "web", Manifest: "web"}
	beside := render.Container{Name: "proxy", Manifest: "proxy", Ports: []render.Port{{Name: "http", Number: 8000}}}
	for _, tc := range []struct {
		name       string
		services   []string
		containers []render.Container
		want       int32
	}{
		{"no Service", nil, []render.Container{web}, 0},
		{"a Service of one port", []string{"web"}, []render.Container{web}, 3000},
		{"the first of several", []string{"lb"}, []render.Container{web}, 8000},
		{"the first that no sidecar has", []string{"lb"}, []render.Container{web, beside}, 9000},
	} {
		w := render.Workload{Kind: "Deployment", Namespace: "x", Name: "web", Services: tc.services, Containers: tc.containers}
		if got := served(w, services()); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}
