package manifest

import (
	"strings"
	"testing"
)

// Every kind of the table says where it belongs in the order of an apply.
func TestTableOfKinds(t *testing.T) {
	for gvk, k := range Known {
		if k.Resource != strings.ToLower(k.Resource) || k.Resource == "" || k.Stage < 0 || k.Stage >= Stages {
			t.Errorf("%s: %+v", gvk, k)
		}
		if k.Keep && k.Remake {
			t.Errorf("%s holds data and may be remade", gvk)
		}
	}
	for _, name := range []string{"Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"} {
		for gvk, k := range Known {
			if gvk.Kind == name && !k.Keep {
				t.Errorf("%s would be pruned", name)
			}
		}
	}
}
