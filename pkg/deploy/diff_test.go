package deploy

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestTwinName(t *testing.T) {
	for name, want := range map[string]string{
		"web":                            "web-zr",
		strings.Repeat("a", 49):          strings.Repeat("a", 49) + "-zr",
		strings.Repeat("a", 63):          strings.Repeat("a", 49) + "-zr",
		strings.Repeat("a", 48) + "-job": strings.Repeat("a", 48) + "-zr",
	} {
		got := twinName(name)
		if got != want || len(got) > twinLimit || len(validation.IsDNS1123Label(got)) > 0 {
			t.Errorf("of %s it is %q", name, got)
		}
	}
}
