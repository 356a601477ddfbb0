package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLookup(t *testing.T) {
	images := map[string]string{"web": "a", "example/db:1": "b", "reg:5000/x": "c"}
	got := map[string]string{}
	for _, image := range []string{"web", "web:2", "web@sha256:0", "example/db:1", "example/db:2", "reg:5000/x:1", "reg:5000/y", "other/web"} {
		got[image] = lookup(images, image)
	}
	want := map[string]string{"web": "a", "web:2": "a", "web@sha256:0": "a", "example/db:1": "b", "example/db:2": "", "reg:5000/x:1": "c", "reg:5000/y": "", "other/web": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
