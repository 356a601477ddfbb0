package health

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A container without a readiness probe counts as ready the moment it is
// started, also between two crashes. Where nothing else is asked it has to
// run for a while before it is believed.
const (
	steadyFirst    = 3 * time.Second  // a program that cannot start ends within this
	steadyRestart  = 10 * time.Second // one that crashed before is given longer
	steadySurely   = 30 * time.Second // by the node's clock, which may differ from this one
	steadyInterval = 500 * time.Millisecond
)

// run is one run of a container.
type run struct {
	pod, container string
	restarts       int32
}

// steadiness remembers when the runs of containers were first seen.
type steadiness map[run]time.Time

// reached tells whether all containers that no probe vouches for have run
// long enough.
func (s steadiness) reached(r rollout, now time.Time) bool {
	all := true
	for _, p := range r.current {
		for _, c := range p.Status.ContainerStatuses {
			if c.State.Running == nil || hasReadinessProbe(p, c.Name) {
				continue
			}
			seen := run{string(p.UID), c.Name, c.RestartCount}
			if s[seen].IsZero() {
				s[seen] = now
			}
			need := steadyFirst
			if c.RestartCount > 0 {
				need = steadyRestart
			}
			if now.Sub(c.State.Running.StartedAt.Time) < steadySurely && now.Sub(s[seen]) < need {
				all = false
			}
		}
	}
	return all
}

func hasReadinessProbe(p *corev1.Pod, container string) bool {
	for _, c := range p.Spec.Containers {
		if c.Name == container {
			return c.ReadinessProbe != nil
		}
	}
	return false
}
