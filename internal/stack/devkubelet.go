package stack

import (
	"context"
	"time"

	"zr/internal/devloop"
	"zr/pkg/event"
	"zr/pkg/health"
	"zr/pkg/livesync"
)

const (
	// verdictInterval is how often the words of zr and of the kubelet are compared.
	verdictInterval = time.Second
	// verdictTolerance is how long they may differ: three failures at the period
	// of dev mode, one second, and two for what they take to arrive.
	verdictTolerance = 5 * time.Second
)

// verdicts tells where zr and the kubelet are of two minds whether a service is
// ready: the one asks the process, the other decides whether the Service leads
// to its pod. It belongs to one goroutine.
type verdicts struct {
	sink   event.Sink
	since  map[string]time.Time // when they began to differ
	stands map[string]bool      // it was told
}

func newVerdicts(sink event.Sink) *verdicts {
	return &verdicts{sink: sink, since: map[string]time.Time{}, stands: map[string]bool{}}
}

// see takes both words on a service.
func (v *verdicts) see(service string, ours, kubelet bool, now time.Time) {
	if ours == kubelet {
		delete(v.since, service)
		v.clear(service)
		return
	}
	if _, differ := v.since[service]; !differ {
		v.since[service] = now
	}
	if v.stands[service] || now.Sub(v.since[service]) < verdictTolerance {
		return
	}
	v.stands[service] = true
	text := "the process answers its readiness probe, but its pod is not ready: the kubelet is told otherwise, or another container of the pod is not ready; its Service leads nowhere" +
		"\nhint: `zr status` shows what the pod lacks"
	if kubelet {
		text = "the kubelet calls the pod ready, but the process does not answer its readiness probe when it is asked in the pod: its Service leads to it all the same" +
			"\nhint: the state of the service has the last answer"
	}
	v.sink.Emit(event.Problem{Source: verdictSource(service), Text: text})
}

func (v *verdicts) clear(service string) {
	if v.stands[service] {
		delete(v.stands, service)
		v.sink.Emit(event.Problem{Source: verdictSource(service), Cleared: true})
	}
}

// verdictSource names the Problem, which stands beside those of the service.
func verdictSource(service string) string { return service + " (kubelet)" }

// compareVerdicts compares both words on each container until ctx ends. held is
// what the kubelets said last; nil before the first word.
func compareVerdicts(ctx context.Context, sink event.Sink, containers map[string]devloop.Container, held func() *health.Held) error {
	v := newVerdicts(sink)
	pace := time.NewTicker(verdictInterval)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			for service := range containers {
				v.clear(service) // the next reloading says it again where it still holds
			}
			return ctx.Err()
		case now := <-pace.C:
			h := held()
			for service, container := range containers {
				state := container.State()
				if ready, there := readyPods(h, service); there && state.Connected {
					v.see(service, state.Status.Phase == livesync.Healthy, ready > 0, now)
				}
			}
		}
	}
}

// readyPods returns how many pods of a service the kubelets call ready.
func readyPods(h *health.Held, service string) (n int32, there bool) {
	if h == nil {
		return 0, false
	}
	for _, w := range h.Workloads {
		if w.Name == service {
			return w.Ready, true
		}
	}
	return 0, false
}
