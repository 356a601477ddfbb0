package lifecycle_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"zr/internal/api/fleet"
)

// The api's Role allows all that is watched, and a change of what runs is seen.
func TestTheRoleAllowsWhatIsWatched(t *testing.T) {
	e := newEnvironment(t)
	e.PlayKubelet()
	reader := fleet.NewReader(e.Kube, nil, fleet.Self{}, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	var running sync.WaitGroup
	running.Go(func() { reader.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	e.deploy("web", 2, "")
	for last := (*fleet.Snapshot)(nil); ; {
		s, err := reader.Next(ctx, last)
		if err != nil {
			t.Fatalf("%v; the last was %+v", err, last)
		}
		if s.Kubernetes.Status == "ok" && len(s.Services) == 1 && s.Services[0].State == fleet.Healthy && s.Services[0].Ready == 2 {
			return
		}
		last = s
	}
}
