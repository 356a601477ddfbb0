package health

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A container without a readiness probe counts as ready the moment it is
// started, also between two crashes. Where nothing else is asked it has to
// run for a while before it is believed.
const (
	steadyFirst    = 3 * time.Second  // a program that cannot start ends within this
	steadyBeside   = time.Second      // beside a container that is asked: most of its time is that one's
	steadyRestart  = 10 * time.Second // one that crashed before is given longer
	steadySurely   = 30 * time.Second // by the node's clock, which may differ from this one
	steadyInterval = 500 * time.Millisecond

	// A node that tells late of a start tells as late of an end. Its times are cut
	// to seconds, and its clock may be behind, so that there is a most.
	steadyLag     = 2 * time.Second
	steadyLagMost = 5 * time.Second
)

// recently is how long after a restart a container that is not ready is said to
// crash rather than not to answer. One that ran for longer before it ended is in
// no loop that could be waited for.
const recently = time.Minute

// doubted is how long a container that was restarted is not believed: what ends
// over and over is ready in between. It has to run for twice as long as the run
// before, as these differ, and where no probe vouches for it the longer the more
// often it ended. The first end is forgiven one that is asked.
func doubted(t Target, p *corev1.Pod, c corev1.ContainerStatus) time.Duration {
	last := c.LastTerminationState.Terminated
	if last == nil {
		return 0
	}
	ran := last.FinishedAt.Sub(last.StartedAt.Time)
	loops := ran < recently
	switch {
	case !c.Ready:
		return max(recently, 2*min(ran, recently))
	case !vouched(t, p, c.Name) && loops:
		return max(2*ran, steadyRestart*time.Duration(min(c.RestartCount, 6)))
	case !vouched(t, p, c.Name):
		return steadyRestart
	case loops && c.RestartCount > 2:
		return max(2*ran, steadyRestart)
	case loops && c.RestartCount > 1:
		return 2 * ran
	}
	return 0
}

// unproven is how long a container has to run until its first run is believed.
func unproven(t Target, p *corev1.Pod, c corev1.ContainerStatus) time.Duration {
	switch {
	case vouched(t, p, c.Name):
		return 0
	case c.RestartCount > 0:
		return steadyRestart
	case slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool { return vouched(t, p, c.Name) }):
		return steadyBeside
	}
	return steadyFirst
}

// young tells that a container which no probe vouches for was started too short
// a time ago to be believed, by the node's clock.
func young(t Target, r rollout, now time.Time) bool {
	for _, p := range r.serving() {
		for _, c := range lasting(p) {
			if c.State.Running != nil && now.Sub(c.State.Running.StartedAt.Time) < unproven(t, p, c) {
				return true
			}
		}
	}
	return false
}

// run is one run of a container.
type run struct {
	pod, container string
	restarts       int32
}

// steadiness remembers until when the runs of containers are not believed.
type steadiness map[run]time.Time

// reached tells whether all containers that no probe vouches for have run
// long enough.
func (s steadiness) reached(t Target, r rollout, now time.Time) bool {
	all := true
	for _, p := range r.serving() {
		for _, c := range lasting(p) {
			need := unproven(t, p, c)
			if c.State.Running == nil || need == 0 {
				continue
			}
			seen := run{string(p.UID), c.Name, c.RestartCount}
			age := now.Sub(c.State.Running.StartedAt.Time)
			if s[seen].IsZero() {
				s[seen] = now.Add(need + 2*min(max(0, age-steadyLag), steadyLagMost))
			}
			if age < steadySurely && now.Before(s[seen]) {
				all = false
			}
		}
	}
	return all
}

// vouched tells that a container is asked whether it is ready: by the kubelet,
// or by zr, which asks one of them.
func vouched(t Target, p *corev1.Pod, container string) bool {
	for i, c := range p.Spec.Containers {
		if c.Name == container {
			asked := c.Name == t.Container || t.Container == "" && i == 0
			return c.ReadinessProbe != nil || asked && t.probed()
		}
	}
	for _, c := range p.Spec.InitContainers {
		if c.Name == container {
			return c.ReadinessProbe != nil
		}
	}
	return false
}

// lasting are the containers of a pod that are to run on.
func lasting(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.DeleteFunc(allStatuses(p), func(c corev1.ContainerStatus) bool {
		return slices.ContainsFunc(p.Spec.InitContainers, func(i corev1.Container) bool { return i.Name == c.Name }) && !isSidecar(p, c.Name)
	})
}

// isSidecar tells that an init container runs on beside the others.
func isSidecar(p *corev1.Pod, container string) bool {
	return slices.ContainsFunc(p.Spec.InitContainers, func(c corev1.Container) bool {
		return c.Name == container && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	})
}
