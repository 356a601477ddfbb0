package diagnose

import (
	"cmp"
	"fmt"
	"time"

	"zr/pkg/kube/object"
)

// failedCreate is the reason of the event by which a controller says that it
// may not make a pod.
const failedCreate = "FailedCreate"

// Rollout is how far the current template of a workload is.
type Rollout struct {
	found  bool
	uid    string
	paused bool
	Done   bool
	// Ended says that it is done since its pods have ended: nobody is there to
	// be asked.
	Ended bool
	// Idle says that it is done without pods, and why that is right.
	Idle string
	// stopped says who has stopped it, where somebody has.
	stopped string
	// Finite says that its pods are to end, which is all that is asked of them.
	Finite bool
	// failed is why a Job will not complete any more.
	failed string
	// stalled is what the controller says of a new version that did not get ready
	// in the time that the manifest gives.
	stalled string
	// waiting says what is still to come, where nothing is wrong.
	waiting        string
	Ready, Desired int32
	// creator is what makes the pods: the current ReplicaSet, or the
	// StatefulSet itself. Empty where the controller did not make it yet.
	creator string
	// refused is why the creator cannot make pods. Stale says that it was not
	// refused again since the wait began, so that it may be corrected: the
	// controllers try again after up to 17 minutes.
	refused string
	stale   bool
	Current []*object.Pod // of the current template, newest first
	Earlier []*object.Pod
	Image   string // of the container that is named like the workload, or else of the first
}

// RolloutOf finds the state of the current template of a target. It is complete
// once its Services lead to its pods, too.
func (s *Snapshot) RolloutOf(t Target) Rollout {
	r := s.templateOf(t)
	if w := s.workloads[t.key()]; w != nil {
		r.stopped = object.Stopped(w.Annotations, object.Wanted(w.Spec.Replicas))
	}
	switch {
	case r.Done && r.Desired > 0 && !r.Finite:
		if r.waiting = s.unreached(t, r); r.waiting != "" {
			r.Done = false
		}
	case r.Done && !r.Ended && r.Idle == "":
		r.Idle = cmp.Or(r.stopped, t.Idle)
	}
	return r
}

func (s *Snapshot) templateOf(t Target) Rollout {
	w := s.workloads[t.key()]
	switch {
	case w == nil && t.Kind == object.Job && t.Vanishes:
		return Rollout{found: true, Done: true, Ended: true, Finite: true}
	case w == nil:
		return Rollout{}
	}
	switch w.Kind {
	case object.DaemonSet:
		return s.daemonSetRollout(w)
	case object.Job:
		return s.jobRollout(w)
	case object.StatefulSet:
		return s.statefulSetRollout(w)
	}
	return s.deploymentRollout(w)
}

func (s *Snapshot) deploymentRollout(d *object.Workload) Rollout {
	r := Rollout{found: true, uid: d.UID, paused: d.Spec.Paused, Desired: object.Wanted(d.Spec.Replicas), Image: imageOf(d)}
	for _, rs := range s.replicaSets[d.UID] {
		if rs.Annotations[object.RevisionAnnotation] == d.Annotations[object.RevisionAnnotation] && d.Annotations[object.RevisionAnnotation] != "" {
			r.creator = rs.UID
			r.refused = condition(rs.Status.Conditions)
			r.stale = s.old(s.warning(rs.UID, failedCreate))
			r.Current = append(r.Current, s.podsOf(rs.UID)...)
		} else {
			r.Earlier = append(r.Earlier, s.podsOf(rs.UID)...)
		}
	}
	st := d.Status
	if d.Status.ObservedGeneration < d.Generation {
		// The revision annotation is still that of the template before.
		r.Earlier, r.Current, r.creator, r.refused = append(r.Earlier, r.Current...), nil, "", ""
		r.waiting = "the deployment controller has not seen the change yet"
		return r
	}
	r.Ready = readyOf(r.Current)
	if c := object.ConditionOf(st.Conditions, "Progressing"); c != nil && c.Reason == "ProgressDeadlineExceeded" {
		r.stalled = c.Message
	}
	switch {
	case d.Spec.Paused && st.UpdatedReplicas < r.Desired:
		r.waiting = "the rollout is paused"
	case r.creator == "" && r.Desired > 0:
		r.waiting = "its ReplicaSet is being made"
	case st.UpdatedReplicas < r.Desired:
		r.waiting = fmt.Sprintf("%d of %d pods are made", st.UpdatedReplicas, r.Desired)
	case r.Ready < r.Desired || st.AvailableReplicas < r.Desired:
		r.waiting = fmt.Sprintf("%d of %d pods are ready", r.Ready, r.Desired)
	case st.Replicas > st.UpdatedReplicas:
		r.waiting = fmt.Sprintf("pods of the version before are still there: %d", st.Replicas-st.UpdatedReplicas)
	default:
		r.Done = true
	}
	return r
}

func (s *Snapshot) statefulSetRollout(set *object.Workload) Rollout {
	r := Rollout{found: true, uid: set.UID, Desired: object.Wanted(set.Spec.Replicas), Image: imageOf(set), creator: set.UID}
	st := set.Status
	observed := st.ObservedGeneration >= set.Generation
	for _, p := range s.podsOf(set.UID) {
		if observed && p.Labels[object.RevisionLabel] == st.UpdateRevision {
			r.Current = append(r.Current, p)
		} else {
			r.Earlier = append(r.Earlier, p)
		}
	}
	if !observed {
		r.waiting = "the statefulset controller has not seen the change yet"
		return r
	}
	if int(st.Replicas) < int(r.Desired) {
		// The controller says why it cannot make a pod in an event only.
		if e := s.warning(set.UID, failedCreate); e != nil {
			r.refused, r.stale = e.Message, s.old(e)
		}
	}
	r.Ready = readyOf(r.Current)
	updated := r.Desired
	if u := set.Spec.UpdateStrategy.RollingUpdate; u != nil && u.Partition != nil {
		updated = max(0, r.Desired-*u.Partition)
	}
	if set.Spec.UpdateStrategy.Type == object.OnDelete {
		updated = 0 // its pods change when somebody deletes them
		r.Ready = readyOf(append(r.Current, r.Earlier...))
	}
	switch {
	case st.Replicas < r.Desired:
		r.waiting = fmt.Sprintf("%d of %d pods are made", st.Replicas, r.Desired)
	case st.UpdatedReplicas < updated:
		r.waiting = fmt.Sprintf("%d of %d pods are of the new version", st.UpdatedReplicas, updated)
	case st.ReadyReplicas < r.Desired || st.AvailableReplicas < r.Desired || r.Ready < updated:
		r.waiting = fmt.Sprintf("%d of %d pods are ready", min(r.Ready, st.ReadyReplicas), r.Desired)
	case st.Replicas > r.Desired:
		r.waiting = fmt.Sprintf("pods too many are still there: %d", st.Replicas-r.Desired)
	default:
		r.Done = true
	}
	return r
}

// condition returns why a ReplicaSet cannot make its pods, or "".
func condition(conditions []object.Condition) string {
	for _, c := range conditions {
		if c.Type == "ReplicaFailure" && c.Status == "True" {
			return c.Message
		}
	}
	return ""
}

func imageOf(w *object.Workload) string {
	if c := w.Main(); c != nil {
		return c.Image
	}
	return ""
}

func readyOf(pods []*object.Pod) int32 {
	var n int32
	for _, p := range pods {
		if p.Ready() {
			n++
		}
	}
	return n
}

// Probed returns the pod to ask: a ready one, or else one that runs, whose
// answer says why it is not ready.
func (r Rollout) Probed() (*object.Pod, bool) {
	if r.Finite {
		return nil, false
	}
	var running *object.Pod
	for _, p := range r.serving() {
		if p.DeletionTimestamp != nil || p.Status.Phase != object.PodRunning {
			continue
		}
		if p.Ready() {
			return p, true
		}
		if running == nil && allRunning(p) {
			running = p
		}
	}
	return running, running != nil
}

// serving are the pods that stand for the workload. Where the rollout is complete
// without a pod of the current template, those of the one before are left on
// purpose.
func (r Rollout) serving() []*object.Pod {
	if r.Done {
		return append(r.Current[:len(r.Current):len(r.Current)], r.Earlier...)
	}
	return r.Current
}

func allRunning(p *object.Pod) bool {
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Running == nil {
			return false
		}
	}
	return len(p.Status.ContainerStatuses) > 0
}

// Restarts counts those of all containers of the current pods.
func (r Rollout) Restarts() int32 {
	var n int32
	for _, p := range r.Current {
		n += p.Restarts()
	}
	return n
}

// Since is the last time that a current pod became ready or stopped being so.
func (r Rollout) Since() time.Time {
	var last time.Time
	for _, p := range r.Current {
		if _, at := p.ReadySince(); at.After(last) {
			last = at
		}
	}
	return last
}
