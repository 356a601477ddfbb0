package health

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// revisionAnnotation is set by the deployment controller on a Deployment and
// on the ReplicaSet of its current template, with the same number.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// failedCreate is the reason of the event by which a controller says that it
// may not make a pod.
const failedCreate = "FailedCreate"

// rollout is how far the current template of a workload is.
type rollout struct {
	found  bool
	uid    types.UID
	done   bool
	paused bool
	// ended says that it is done since its pods have ended: nobody is there to
	// be asked.
	ended bool
	// idle says that it is done without pods, and why that is right.
	idle string
	// finite says that its pods are to end, which is all that is asked of them.
	finite bool
	// failed is why a Job will not complete any more.
	failed string
	// waiting says what is still to come, where nothing is wrong.
	waiting        string
	ready, desired int32
	// creator is what makes the pods: the current ReplicaSet, or the
	// StatefulSet itself. Empty where the controller did not make it yet.
	creator types.UID
	// refused is why the creator cannot make pods. Stale says that it was not
	// refused again since the wait began, so that it may be mended: the
	// controllers try again after up to 17 minutes.
	refused string
	stale   bool
	current []*corev1.Pod // of the current template, newest first
	earlier []*corev1.Pod
	image   string
}

// podRef is what a probe needs to know of a pod.
type podRef struct{ name, uid, ip string }

// rolloutOf finds the state of the current template of a target. It is complete
// once its Services lead to its pods, too.
func (s *snapshot) rolloutOf(t Target) rollout {
	r := s.templateOf(t)
	switch {
	case r.done && r.desired > 0 && !r.finite:
		if r.waiting = s.unreached(t, r); r.waiting != "" {
			r.done = false
		}
	case r.done && !r.ended && r.idle == "":
		r.idle = t.Idle
	}
	return r
}

func (s *snapshot) templateOf(t Target) rollout {
	switch t.Kind {
	case kindDaemonSet:
		if set := s.daemonSets[t.key()]; set != nil {
			return s.daemonSetRollout(set)
		}
	case kindJob:
		if job := s.jobs[t.key()]; job != nil {
			return s.jobRollout(job)
		}
		if t.Vanishes {
			return rollout{found: true, done: true, ended: true, finite: true}
		}
	case "StatefulSet":
		if set := s.statefulSets[t.key()]; set != nil {
			return s.statefulSetRollout(set)
		}
	default:
		if d := s.deployments[t.key()]; d != nil {
			return s.deploymentRollout(d)
		}
	}
	return rollout{}
}

func (s *snapshot) deploymentRollout(d *appsv1.Deployment) rollout {
	r := rollout{found: true, uid: d.UID, paused: d.Spec.Paused, desired: replicas(d.Spec.Replicas), image: imageOf(d.Spec.Template, d.Name)}
	for _, rs := range s.replicaSets[d.UID] {
		if rs.Annotations[revisionAnnotation] == d.Annotations[revisionAnnotation] && d.Annotations[revisionAnnotation] != "" {
			r.creator = rs.UID
			r.refused = condition(rs.Status.Conditions)
			r.stale = s.old(s.warning(rs.UID, failedCreate))
			r.current = append(r.current, s.podsOf(rs.UID)...)
		} else {
			r.earlier = append(r.earlier, s.podsOf(rs.UID)...)
		}
	}
	st := d.Status
	if d.Status.ObservedGeneration < d.Generation {
		// The revision annotation is still that of the template before.
		r.earlier, r.current, r.creator, r.refused = append(r.earlier, r.current...), nil, "", ""
		r.waiting = "the deployment controller has not seen the change yet"
		return r
	}
	r.ready = readyOf(r.current)
	switch {
	case d.Spec.Paused && st.UpdatedReplicas < r.desired:
		r.waiting = "the rollout is paused"
	case r.creator == "" && r.desired > 0:
		r.waiting = "its ReplicaSet is being made"
	case st.UpdatedReplicas < r.desired:
		r.waiting = fmt.Sprintf("%d of %d pods are made", st.UpdatedReplicas, r.desired)
	case r.ready < r.desired || st.AvailableReplicas < r.desired:
		r.waiting = fmt.Sprintf("%d of %d pods are ready", r.ready, r.desired)
	case st.Replicas > st.UpdatedReplicas:
		r.waiting = fmt.Sprintf("pods of the version before are still there: %d", st.Replicas-st.UpdatedReplicas)
	default:
		r.done = true
	}
	return r
}

func (s *snapshot) statefulSetRollout(set *appsv1.StatefulSet) rollout {
	r := rollout{found: true, uid: set.UID, desired: replicas(set.Spec.Replicas), image: imageOf(set.Spec.Template, set.Name), creator: set.UID}
	st := set.Status
	observed := st.ObservedGeneration >= set.Generation
	for _, p := range s.podsOf(set.UID) {
		if observed && p.Labels[appsv1.StatefulSetRevisionLabel] == st.UpdateRevision {
			r.current = append(r.current, p)
		} else {
			r.earlier = append(r.earlier, p)
		}
	}
	if !observed {
		r.waiting = "the statefulset controller has not seen the change yet"
		return r
	}
	if int(st.Replicas) < int(r.desired) {
		// The controller says why it cannot make a pod in an event only.
		if e := s.warning(set.UID, failedCreate); e != nil {
			r.refused, r.stale = e.Message, s.old(e)
		}
	}
	r.ready = readyOf(r.current)
	updated := r.desired
	if u := set.Spec.UpdateStrategy.RollingUpdate; u != nil && u.Partition != nil {
		updated = max(0, r.desired-*u.Partition)
	}
	if set.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		updated = 0 // its pods change when somebody deletes them
		r.ready = readyOf(append(r.current, r.earlier...))
	}
	switch {
	case st.Replicas < r.desired:
		r.waiting = fmt.Sprintf("%d of %d pods are made", st.Replicas, r.desired)
	case st.UpdatedReplicas < updated:
		r.waiting = fmt.Sprintf("%d of %d pods are of the new version", st.UpdatedReplicas, updated)
	case st.ReadyReplicas < r.desired || st.AvailableReplicas < r.desired || r.ready < updated:
		r.waiting = fmt.Sprintf("%d of %d pods are ready", min(r.ready, st.ReadyReplicas), r.desired)
	case st.Replicas > r.desired:
		r.waiting = fmt.Sprintf("pods too many are still there: %d", st.Replicas-r.desired)
	default:
		r.done = true
	}
	return r
}

// condition returns why a ReplicaSet cannot make its pods, or "".
func condition(conditions []appsv1.ReplicaSetCondition) string {
	for _, c := range conditions {
		if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
			return c.Message
		}
	}
	return ""
}

// replicas is how many pods are wanted; the API's default is one.
func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// imageOf returns the image of the container that is named like the workload,
// or else of the first one.
func imageOf(t corev1.PodTemplateSpec, name string) string {
	for _, c := range t.Spec.Containers {
		if c.Name == name {
			return c.Image
		}
	}
	if len(t.Spec.Containers) == 0 {
		return ""
	}
	return t.Spec.Containers[0].Image
}

func readyOf(pods []*corev1.Pod) int32 {
	var n int32
	for _, p := range pods {
		if isReady(p) {
			n++
		}
	}
	return n
}

func isReady(p *corev1.Pod) bool {
	ready, _ := readySince(p)
	return ready && p.DeletionTimestamp == nil
}

// readySince returns the Ready condition and when it became so.
func readySince(p *corev1.Pod) (bool, time.Time) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue, c.LastTransitionTime.Time
		}
	}
	return false, p.CreationTimestamp.Time
}

// probed returns the pod to ask: a ready one, or else one that runs, whose
// answer says why it is not ready.
func (r rollout) probed() (*corev1.Pod, bool) {
	if r.finite {
		return nil, false
	}
	var running *corev1.Pod
	for _, p := range r.serving() {
		if p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning {
			continue
		}
		if isReady(p) {
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
func (r rollout) serving() []*corev1.Pod {
	if r.done {
		return append(r.current[:len(r.current):len(r.current)], r.earlier...)
	}
	return r.current
}

func refOf(p *corev1.Pod) podRef {
	return podRef{name: p.Name, uid: string(p.UID), ip: p.Status.PodIP}
}

func allRunning(p *corev1.Pod) bool {
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Running == nil {
			return false
		}
	}
	return len(p.Status.ContainerStatuses) > 0
}

// restarts counts those of all containers of the current pods.
func (r rollout) restarts() int32 {
	var n int32
	for _, p := range r.current {
		n += restartsOf(p)
	}
	return n
}

func restartsOf(p *corev1.Pod) int32 {
	var n int32
	for _, c := range p.Status.InitContainerStatuses {
		n += c.RestartCount
	}
	for _, c := range p.Status.ContainerStatuses {
		n += c.RestartCount
	}
	return n
}
