package stack

import (
	"testing"
)

// TestNothingIsForeseenInVain ends without asking the cluster, of which this
// stack has none, where nothing has to be built, or the cluster was just made.
func TestNothingIsForeseenInVain(t *testing.T) {
	for what, happens := range map[string]func(*foresight){
		"everything is built":  func(f *foresight) { close(f.built) },
		"it is built at once":  func(f *foresight) { f.needsBuild(); close(f.built) },
		"a cluster was made":   func(f *foresight) { f.needsBuild(); f.needsBuild(); close(f.built) },
		"the cluster is there": func(f *foresight) { f.found <- &connection{}; close(f.built) },
	} {
		f := newForesight()
		happens(f)
		if err := (&project{}).foresee(t.Context(), f); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
