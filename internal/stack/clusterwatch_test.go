package stack

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
	"zr/pkg/cluster"
	"zr/pkg/event"
)

// TestALostClusterThatIsBack is told of as long as it is away, whoever brings it
// back.
func TestALostClusterThatIsBack(t *testing.T) {
	away := errors.New("no answer")
	lost := func(err error) event.Event {
		return event.Problem{Source: stepCluster, Text: "the connection to the cluster is lost: " + err.Error()}
	}
	back := event.Problem{Source: stepCluster, Cleared: true}
	for _, tc := range []struct {
		name    string
		answers []error
		local   bool
		gone    bool // in the end
		want    []event.Event
	}{
		{"it was never away", []error{nil, nil}, true, false, nil},
		{"it answers again by itself", []error{away, away, nil, nil}, true, false, []event.Event{lost(away), back}},
		{"its node is stopped", []error{cluster.ErrDown, cluster.ErrDown}, true, true, []event.Event{lost(cluster.ErrDown)}},
		{"its node was stopped, and a run of up has started it", []error{cluster.ErrDown, cluster.ErrDown, nil}, true, false, []event.Event{lost(cluster.ErrDown), back}},
		{"one of others is down", []error{cluster.ErrDown, cluster.ErrDown}, false, false, []event.Event{lost(cluster.ErrDown)}},
	} {
		var seen testkit.Recorder
		w := &clusterWatch{sink: &seen}
		gone := false
		for _, err := range tc.answers {
			gone = w.heard(err, tc.local)
		}
		if diff := cmp.Diff(tc.want, seen.Events()); diff != "" || gone != tc.gone {
			t.Errorf("%s: gone is %v, events (-want +got):\n%s", tc.name, gone, diff)
		}
	}
}
