package diagnose

import (
	"slices"
	"time"

	"zr/pkg/kube/object"
)

// A container without a readiness probe counts as ready the moment it is
// started, also between two crashes. Where nothing else is asked it has to
// run for a while before it is believed.
const (
	minRun          = 3 * time.Second        // a program that cannot start ends within this
	minRunBeside    = time.Second            // beside a container that is asked: most of its time is that one's
	minRunRestarted = 10 * time.Second       // one that crashed before is given longer
	minRunSurely    = 30 * time.Second       // by the node's clock, which may differ from this one
	MinRunInterval  = 500 * time.Millisecond // between two looks at it

	// A node that tells late of a start tells as late of an end. Its times are cut
	// to seconds, and its clock may be behind, so that there is a most.
	startLag     = 2 * time.Second
	startLagMost = 5 * time.Second
)

// recently is how long after a restart a container that is not ready is said to
// crash rather than not to answer. One that ran for longer before it ended is in
// no loop that could be waited for.
const recently = time.Minute

// doubted is how long a container that was restarted is not believed: what ends
// over and over is ready in between. It has to run for twice as long as the run
// before, as these differ, and where no probe vouches for it the longer the more
// often it ended. The first end is forgiven one that is asked.
func doubted(t Target, p *object.Pod, c object.ContainerStatus) time.Duration {
	last := c.LastState.Terminated
	if last == nil {
		return 0
	}
	ran := last.FinishedAt.Sub(last.StartedAt)
	loops := ran < recently
	switch {
	case !c.Ready:
		return max(recently, 2*min(ran, recently))
	case !Vouched(t, p, c.Name) && loops:
		return max(2*ran, minRunRestarted*time.Duration(min(c.RestartCount, 6)))
	case !Vouched(t, p, c.Name):
		return minRunRestarted
	case loops && c.RestartCount > 2:
		return max(2*ran, minRunRestarted)
	case loops && c.RestartCount > 1:
		return 2 * ran
	}
	return 0
}

// unproven is how long a container has to run until its first run is believed.
func unproven(t Target, p *object.Pod, c object.ContainerStatus) time.Duration {
	switch {
	case Vouched(t, p, c.Name):
		return 0
	case c.RestartCount > 0:
		return minRunRestarted
	case slices.ContainsFunc(p.Spec.Containers, func(c object.Container) bool { return Vouched(t, p, c.Name) }):
		return minRunBeside
	}
	return minRun
}

// Young tells that a container which no probe vouches for was started too short
// a time ago to be believed, by the node's clock.
func Young(t Target, r Rollout, now time.Time) bool {
	for _, p := range r.serving() {
		for _, c := range lasting(p) {
			if c.State.Running != nil && now.Sub(c.State.Running.StartedAt) < unproven(t, p, c) {
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

// MinRuns remembers until when the runs of containers are unproven.
type MinRuns map[run]time.Time

// Reached tells whether all containers that no probe vouches for have run
// long enough.
func (s MinRuns) Reached(t Target, r Rollout, now time.Time) bool {
	all := true
	for _, p := range r.serving() {
		for _, c := range lasting(p) {
			need := unproven(t, p, c)
			if c.State.Running == nil || need == 0 {
				continue
			}
			seen := run{string(p.UID), c.Name, c.RestartCount}
			age := now.Sub(c.State.Running.StartedAt)
			if s[seen].IsZero() {
				s[seen] = now.Add(need + 2*min(max(0, age-startLag), startLagMost))
			}
			if age < minRunSurely && now.Before(s[seen]) {
				all = false
			}
		}
	}
	return all
}

// Vouched tells that a container is asked whether it is ready: by the kubelet,
// or by zr, which asks one of them.
func Vouched(t Target, p *object.Pod, container string) bool {
	for i, c := range p.Spec.Containers {
		if c.Name == container {
			asked := c.Name == t.Container || t.Container == "" && i == 0
			return c.ReadinessProbe != nil || asked && t.Probe != ""
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
func lasting(p *object.Pod) []object.ContainerStatus {
	return slices.DeleteFunc(p.Statuses(), func(c object.ContainerStatus) bool {
		return slices.ContainsFunc(p.Spec.InitContainers, func(i object.Container) bool { return i.Name == c.Name }) && !isSidecar(p, c.Name)
	})
}

// isSidecar tells that an init container runs on beside the others.
func isSidecar(p *object.Pod, container string) bool {
	return slices.ContainsFunc(p.Spec.InitContainers, func(c object.Container) bool {
		return c.Name == container && c.RestartPolicy == object.RestartAlways
	})
}
