package health

import (
	"context"
	"time"

	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/kube/object"
)

// status makes the Status of a finding.
func status(f diagnose.Finding, t Target) Status {
	r := f.Rollout
	s := Status{
		Service: t.Service, State: f.State(), Ready: r.Ready, Desired: r.Desired, Restarts: r.Restarts(), Image: r.Image,
		Build: f.Answer.Build, Answer: f.Said(), Latency: f.Answer.Took, Since: r.Since(),
	}
	for _, p := range r.Current {
		s.Pods = append(s.Pods, podOf(p, true))
	}
	for _, p := range r.Earlier {
		s.Pods = append(s.Pods, podOf(p, false))
	}
	switch s.State {
	case event.Healthy:
	case event.Stopped:
		s.Reason = r.Idle
	default:
		wrong := f.Wrong(t.subject())
		s.Reason, s.Proof, s.Hint = wrong.Text, wrong.Proof, wrong.Hint
	}
	return s
}

func podOf(p *object.Pod, current bool) Pod {
	return Pod{Name: p.Name, Node: p.Spec.NodeName, Phase: p.Status.Phase, Ready: p.Ready(), Current: current,
		Restarts: p.Restarts(), Created: p.CreationTimestamp}
}

// probeTimeout is how long one probe may take where the manifest gives it no longer.
// What is asked through a port-forward takes longer than from the node.
const probeTimeout = 2 * time.Second

// patience is how long one probe of a target may take.
func (t Target) patience() time.Duration { return max(probeTimeout, t.ProbeTimeout) }

// Check looks at every target once, in parallel, and returns one Status each
// in the order of the targets. It fails where the cluster cannot be asked; an
// unhealthy service is no error.
func (g *Gate) Check(ctx context.Context, targets []Target) ([]Status, error) {
	return g.check(ctx, targets, g.unserved)
}

// CheckProven is Check for targets that Wait has found healthy, when nothing was
// applied since, or of which Misled is asked as well. It leaves the nodes alone, who
// take longer than all the rest.
func (g *Gate) CheckProven(ctx context.Context, targets []Target) ([]Status, error) {
	served := func(context.Context, Target, diagnose.Rollout, *diagnose.Snapshot) string { return "" }
	return g.check(ctx, targets, served)
}

// misleads says what the nodes know to be wrong with the way to a target, or "".
type misleads func(context.Context, Target, diagnose.Rollout, *diagnose.Snapshot) string

func (g *Gate) check(ctx context.Context, targets []Target, misled misleads) ([]Status, error) {
	snapshots, err := g.snapshots(ctx, targets, kindsOf(targets)...)
	if err != nil {
		return nil, err
	}
	findings := make([]diagnose.Finding, len(targets))
	g.each(targets, func(i int, t Target) { findings[i] = g.look(ctx, t, snapshots[t.Namespace], misled) })

	// Only events tell why some pods do not start; a healthy stack is not
	// made to wait for them.
	var sick []Target
	for i, t := range targets {
		if f := findings[i]; !f.Healthy() && !f.Stopped() {
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
			if f.Healthy() || f.Stopped() {
				return
			}
			s := snapshots[t.Namespace].WithEvents(events[t.Namespace])
			s.Observe(f, t.subject(), time.Now())
			f.Why = g.kube.withProof(ctx, t.Namespace, f.Why)
		})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	statuses := make([]Status, len(targets))
	for i, t := range targets {
		statuses[i] = status(findings[i], t)
	}
	g.forget(snapshots)
	return statuses, nil
}

// look probes a target where there is somebody to ask.
func (g *Gate) look(ctx context.Context, t Target, s *diagnose.Snapshot, misled misleads) diagnose.Finding {
	var f diagnose.Finding
	now := time.Now()
	s.Observe(&f, t.subject(), now)
	f.Unproven = diagnose.Young(t.subject(), f.Rollout, now)
	pod, ok := f.Rollout.Probed()
	if !ok {
		return f
	}
	asking, cancel := context.WithTimeout(ctx, t.patience())
	defer cancel()
	f.Answer, f.Process = g.inquire(asking, t, pod)
	f.Asked = true
	if f.Answer.OK {
		f.Misled = misled(ctx, t, f.Rollout, s)
	}
	f.Hear(t.subject(), now)
	return f
}
