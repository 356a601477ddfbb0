package health

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
)

// templateGeneration is the label by which a pod of a DaemonSet says which
// template it is of; the DaemonSet has the current one in an annotation. Its
// hash is known to its controller only.
const templateGeneration = "pod-template-generation"

func (s *snapshot) daemonSetRollout(set *appsv1.DaemonSet) rollout {
	st := set.Status
	r := rollout{found: true, uid: set.UID, desired: st.DesiredNumberScheduled, image: imageOf(set.Spec.Template, set.Name), creator: set.UID}
	observed := st.ObservedGeneration >= set.Generation
	// After a rollback the pods are of a template with an earlier number.
	all := st.UpdatedNumberScheduled >= st.DesiredNumberScheduled
	for _, p := range s.podsOf(set.UID) {
		if observed && (all || p.Labels[templateGeneration] == set.Annotations[appsv1.DeprecatedTemplateGeneration]) {
			r.current = append(r.current, p)
		} else {
			r.earlier = append(r.earlier, p)
		}
	}
	if !observed {
		r.waiting = "the daemonset controller has not seen the change yet"
		return r
	}
	if st.CurrentNumberScheduled < r.desired {
		if e := s.warning(set.UID, failedCreate); e != nil {
			r.refused, r.stale = e.Message, s.old(e)
		}
	}
	r.ready = readyOf(r.current)
	updated := r.desired
	if set.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		updated = 0 // its pods change when somebody deletes them
		r.ready = readyOf(append(r.current, r.earlier...))
	}
	switch {
	case st.CurrentNumberScheduled < r.desired:
		r.waiting = fmt.Sprintf("%d of %d nodes have a pod", st.CurrentNumberScheduled, r.desired)
	case st.UpdatedNumberScheduled < updated:
		r.waiting = fmt.Sprintf("%d of %d pods are of the new version", st.UpdatedNumberScheduled, updated)
	case st.NumberReady < r.desired || st.NumberAvailable < r.desired || r.ready < updated:
		r.waiting = fmt.Sprintf("%d of %d pods are ready", min(r.ready, st.NumberReady), r.desired)
	default:
		r.done = true
		if r.desired == 0 {
			r.idle = "no node is to run it"
		}
	}
	return r
}
