package diagnose

import (
	"fmt"
	"time"

	"zr/pkg/event"
	"zr/pkg/kube/object"
)

// Answer is what a pod said when it was asked.
type Answer struct {
	OK    bool
	Text  string // "200 OK", "port 80: connection refused", "503 Service Unavailable: ..."
	Build string // the hash of the code that answered, where it told it
	Took  time.Duration
}

// Finding is all that one look at a target gives.
type Finding struct {
	Rollout Rollout
	Why     *Reason // nil where nothing is wrong
	Asked   bool    // whether a pod was probed, or needs no probe
	Answer  Answer
	Process *Process // of the pod that was probed, where that has an agent
	// Unproven says that a container which nothing vouches for has not run long
	// enough to be believed.
	Unproven bool
	// Misled says what the nodes, where they were asked, know to be wrong with the
	// way to the pods.
	Misled string
	// failing names a container that has run for long without being ready.
	failing string
}

// Look looks at a target that nobody but the kubelet asks.
func (s *Snapshot) Look(t Target, now time.Time) Finding {
	f := Finding{}
	s.Observe(&f, t, now)
	f.Unproven = Young(t, f.Rollout, now)
	if _, ok := f.Rollout.Probed(); ok {
		f.Asked, f.Answer = true, Answer{OK: true}
	}
	return f
}

// Observe reads the rollout of a finding anew, and what is wrong with it. What
// was answered stays.
func (s *Snapshot) Observe(f *Finding, t Target, now time.Time) {
	f.Rollout = s.RolloutOf(t)
	f.failing = f.Rollout.failing(now)
	f.Why = s.Reason(t, f.Rollout, now)
	f.Hear(t, now)
}

// Hear takes what the agent of the pod tells into account, where nothing else is
// wrong.
func (f *Finding) Hear(t Target, now time.Time) {
	if f.Why == nil {
		f.Why = f.processReason(t, now)
	}
}

// Healthy tells that the rollout is complete, that nothing is wrong with its
// pods, that the nodes lead to them, and that the probe answered. Of a Job that has completed nobody is left
// to be asked.
func (f Finding) Healthy() bool {
	return f.Rollout.Done && f.Why == nil && !f.Unproven && f.Misled == "" && (f.Rollout.Ended || f.Asked && f.Answer.OK)
}

// Stopped tells that nothing is meant to run, and nothing does.
func (f Finding) Stopped() bool { return f.Rollout.Idle != "" && f.Why == nil }

// Said is the answer of the probe, or what stands for it.
func (f Finding) Said() string {
	if f.Rollout.Ended {
		return "completed"
	}
	return f.Answer.Text
}

// State is how the target is. It is unhealthy where something is wrong that
// waiting does not explain, and starting where it is still to come.
func (f Finding) State() event.State {
	switch {
	case f.Healthy():
		return event.Healthy
	case f.Stopped():
		return event.Stopped
	case f.Why != nil || f.failing != "" || f.Rollout.Done && !f.Unproven:
		return event.Unhealthy
	}
	return event.Starting
}

// Wrong returns what stands between the service and being healthy, from the
// surest knowledge to the vaguest.
func (f Finding) Wrong(t Target) Reason {
	look := t.logs() + " shows what it does"
	switch {
	case f.Why != nil:
		return *f.Why
	case f.Asked && !f.Answer.OK:
		return Reason{Cause: Unready, Text: fmt.Sprintf("its %s probe is not answered: %s", t.Probe, f.Answer.Text), Hint: look}
	case f.Rollout.Done && f.Misled != "":
		return Reason{Cause: Unready, Text: f.Misled, Hint: "does it listen at the targetPort of its Service, on all addresses of the pod? " + look}
	case f.Rollout.Done && f.Unproven:
		return Reason{Cause: Unready, Text: "its container has only just started", Hint: look}
	}
	text := f.Rollout.waiting
	if stage := f.Rollout.stage(); stage != "" {
		text += ": " + stage
	}
	if t.Probe != "" && f.Asked && f.Answer.OK && f.Rollout.Ready < f.Rollout.Desired {
		text += "; the probe is answered, the pod's own readiness probe is not"
	}
	return Reason{Cause: Unready, Text: text, Hint: look}
}

// stage says where the least advanced of the current pods is.
func (r Rollout) stage() string {
	for _, p := range r.Current {
		if p.DeletionTimestamp != nil || p.Ready() {
			continue
		}
		if p.Spec.NodeName == "" {
			return "a node is being chosen"
		}
		for _, c := range p.Status.InitContainerStatuses {
			if c.State.Running != nil && (c.Started == nil || !*c.Started || !c.Ready) {
				return fmt.Sprintf("init container %q runs", c.Name)
			}
		}
		for _, c := range p.Status.ContainerStatuses {
			if c.State.Waiting != nil && c.State.Waiting.Reason == "ContainerCreating" {
				return "its container is being made"
			}
			if c.State.Running != nil && !c.Ready && !r.Finite {
				return fmt.Sprintf("container %q runs, and is not ready", c.Name)
			}
		}
		return ""
	}
	return ""
}

// probeGrace is how long a container that has started may fail its readiness
// probe: one question may well come too early, and they are seconds apart.
const probeGrace = 10 * time.Second

// failing names a container that its own readiness probe keeps from being ready
// for longer than a start takes, or "".
func (r Rollout) failing(now time.Time) string {
	if r.Finite {
		return ""
	}
	for _, p := range r.Current {
		if p.DeletionTimestamp != nil || p.Ready() {
			continue
		}
		for _, c := range p.Status.ContainerStatuses {
			if c.Ready || c.State.Running == nil || c.Started == nil || !*c.Started {
				continue
			}
			if now.Sub(lastChange(p, c.State.Running.StartedAt)) >= probeGrace {
				return c.Name
			}
		}
	}
	return ""
}

// lastChange is when a pod last stopped being ready, or its container started:
// from then on it may take a moment.
func lastChange(p *object.Pod, started time.Time) time.Time {
	if ready, at := p.ReadySince(); !ready && at.After(started) {
		return at
	}
	return started
}
