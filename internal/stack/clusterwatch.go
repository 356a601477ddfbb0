package stack

import (
	"context"
	"errors"
	"time"

	"zr/pkg/cluster"
	"zr/pkg/event"
)

// The cluster is asked every two seconds and has two to answer, so that a loss
// is noticed within five.
const (
	clusterInterval = 2 * time.Second
	clusterTimeout  = 2 * time.Second
)

// clusterWatch notices when the cluster is lost, and when it is there again. It
// outlives the part of a `zr dev` that it watches for: what it told is taken back
// by the next one. One goroutine at a time uses it.
type clusterWatch struct {
	sink event.Sink
	lost bool
}

// run asks until ctx ends, or returns errGone when it takes a run of up to bring
// the cluster back.
func (w *clusterWatch) run(ctx context.Context, provider cluster.Provider, local bool) error {
	for {
		if pause(ctx, clusterInterval); ctx.Err() != nil {
			return ctx.Err()
		}
		asking, cancel := context.WithTimeout(ctx, clusterTimeout)
		_, err := provider.Find(asking)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if w.heard(err, local) {
			return errGone
		}
	}
}

// heard tells what an answer means, and whether the cluster has to be brought
// back. Once is no proof: an API server that is busy answers late.
func (w *clusterWatch) heard(err error, local bool) (gone bool) {
	switch {
	case err == nil && w.lost:
		w.sink.Emit(event.Problem{Source: stepCluster, Cleared: true})
		w.lost = false
	case err != nil && !w.lost:
		w.sink.Emit(event.Problem{Source: stepCluster, Text: "the connection to the cluster is lost: " + err.Error()})
		w.lost = true
	case err != nil:
		return local && (errors.Is(err, cluster.ErrNotFound) || errors.Is(err, cluster.ErrDown))
	}
	return false
}
