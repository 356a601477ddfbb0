package health

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"zr/pkg/event"
)

// finding is all that one look at a target gives.
type finding struct {
	rollout rollout
	why     *reason // nil where nothing is wrong
	asked   bool    // whether a pod was probed
	answer  answer
	process *process // of the pod that was probed, where that has an agent
	// unsteady says that a container which nothing vouches for has not run long
	// enough to be believed.
	unsteady bool
}

// healthy tells that the rollout is complete, that nothing is wrong with its
// pods, and that the probe answered. Of a Job that has completed nobody is left
// to be asked.
func (f finding) healthy() bool {
	return f.rollout.done && f.why == nil && !f.unsteady && (f.rollout.ended || f.asked && f.answer.ok)
}

// stopped tells that nothing is meant to run, and nothing does.
func (f finding) stopped() bool { return f.rollout.idle != "" && f.why == nil }

// said is the answer of the probe, or what stands for it.
func (f finding) said() string {
	if f.rollout.ended {
		return "completed"
	}
	return f.answer.text
}

// wrong returns what stands between the service and being healthy, from the
// surest knowledge to the vaguest.
func (f finding) wrong(t Target) reason {
	switch {
	case f.why != nil:
		return *f.why
	case f.asked && !f.answer.ok:
		return reason{cause: unready, text: fmt.Sprintf("its %s probe is not answered: %s", t.Probe, f.answer.text),
			hint: t.logs() + " shows what it does"}
	case f.rollout.done && f.unsteady:
		return reason{cause: unready, text: "its container has only just started", hint: t.logs() + " shows what it does"}
	}
	text := f.rollout.waiting
	if stage := f.rollout.stage(); stage != "" {
		text += ": " + stage
	}
	if f.asked && f.answer.ok && f.rollout.ready < f.rollout.desired {
		text += "; the probe is answered, the pod's own readiness probe is not"
	}
	return reason{cause: unready, text: text, hint: t.logs() + " shows what it does"}
}

// stage says where the least advanced of the current pods is.
func (r rollout) stage() string {
	for _, p := range r.current {
		if p.DeletionTimestamp != nil || isReady(p) {
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
			if c.State.Running != nil && !c.Ready && !r.finite {
				return fmt.Sprintf("container %q runs, and is not ready", c.Name)
			}
		}
		return ""
	}
	return ""
}

// status makes the Status of a finding.
func (f finding) status(t Target) Status {
	r := f.rollout
	s := Status{
		Service: t.Service, Ready: r.ready, Desired: r.desired, Restarts: r.restarts(), Image: r.image,
		Build: f.answer.build, Answer: f.said(), Latency: f.answer.took, Since: r.since(),
	}
	for _, p := range r.current {
		s.Pods = append(s.Pods, podOf(p, true))
	}
	for _, p := range r.earlier {
		s.Pods = append(s.Pods, podOf(p, false))
	}
	switch {
	case f.healthy():
		s.State = event.Healthy
		return s
	case f.stopped():
		s.State, s.Reason = event.Stopped, r.idle
		return s
	}
	wrong := f.wrong(t)
	s.State, s.Reason, s.Proof, s.Hint = event.Starting, wrong.text, wrong.proof, wrong.hint
	if f.why != nil || r.done && !f.unsteady {
		s.State = event.Unhealthy
	}
	return s
}

func podOf(p *corev1.Pod, current bool) Pod {
	return Pod{Name: p.Name, Node: p.Spec.NodeName, Phase: string(p.Status.Phase), Ready: isReady(p), Current: current,
		Restarts: restartsOf(p), Created: p.CreationTimestamp.Time}
}

// since is the last time that a current pod became ready or stopped being so.
func (r rollout) since() time.Time {
	var last time.Time
	for _, p := range r.current {
		if _, at := readySince(p); at.After(last) {
			last = at
		}
	}
	return last
}

// probeTimeout is how long one probe may take. A health page that needs
// longer is of no use to a load balancer either.
const probeTimeout = 2 * time.Second

// Check looks at every target once, in parallel, and returns one Status each
// in the order of the targets. It fails where the cluster cannot be asked; an
// unhealthy service is no error.
func (g *Gate) Check(ctx context.Context, targets []Target) ([]Status, error) {
	snapshots, err := g.snapshots(ctx, targets, kindsOf(targets)...)
	if err != nil {
		return nil, err
	}
	findings := make([]finding, len(targets))
	g.each(targets, func(i int, t Target) { findings[i] = g.look(ctx, t, snapshots[t.Namespace]) })

	// Only events tell why some pods do not start; a healthy stack is not
	// made to wait for them.
	var sick []Target
	for i, t := range targets {
		if f := findings[i]; !f.healthy() && !f.stopped() {
			sick = append(sick, t)
		}
	}
	if len(sick) > 0 {
		events, err := g.snapshots(ctx, sick, warnings)
		if err != nil {
			return nil, err
		}
		g.each(targets, func(i int, t Target) {
			f := &findings[i]
			if f.healthy() || f.stopped() {
				return
			}
			s := *snapshots[t.Namespace]
			s.events = events[t.Namespace].events
			f.rollout = s.rolloutOf(t)
			now := time.Now()
			if f.why = s.diagnose(t, f.rollout, now); f.why == nil {
				f.why = f.processReason(t, now)
			}
			f.why = g.kube.withProof(ctx, t.Namespace, f.why)
		})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	statuses := make([]Status, len(targets))
	for i, t := range targets {
		statuses[i] = findings[i].status(t)
	}
	g.forget(snapshots)
	return statuses, nil
}

// look probes a target where there is somebody to ask.
func (g *Gate) look(ctx context.Context, t Target, s *snapshot) finding {
	f := finding{rollout: s.rolloutOf(t)}
	now := time.Now()
	f.why = s.diagnose(t, f.rollout, now)
	f.unsteady = young(t, f.rollout, now)
	pod, ok := f.rollout.probed()
	if !ok {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	f.answer, f.process = g.inquire(ctx, t, pod)
	f.asked = true
	if f.why == nil {
		f.why = f.processReason(t, now)
	}
	return f
}
