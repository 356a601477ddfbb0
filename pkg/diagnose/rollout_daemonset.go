package diagnose

import (
	"fmt"

	"zr/pkg/kube/object"
)

// templateGeneration is the label by which a pod of a DaemonSet says which
// template it is of; the DaemonSet has the current one in an annotation. Its
// hash is known to its controller only.
const templateGeneration = "pod-template-generation"

func (s *Snapshot) daemonSetRollout(set *object.Workload) Rollout {
	st := set.Status
	r := Rollout{found: true, uid: set.UID, Desired: st.DesiredNumberScheduled, Image: imageOf(set), creator: set.UID}
	observed := st.ObservedGeneration >= set.Generation
	// After a rollback the pods are of a template with an earlier number.
	all := st.UpdatedNumberScheduled >= st.DesiredNumberScheduled
	for _, p := range s.podsOf(set.UID) {
		if observed && (all || p.Labels[templateGeneration] == set.Annotations[object.TemplateGenerationAnnotation]) {
			r.Current = append(r.Current, p)
		} else {
			r.Earlier = append(r.Earlier, p)
		}
	}
	if !observed {
		r.waiting = "the daemonset controller has not seen the change yet"
		return r
	}
	if st.CurrentNumberScheduled < r.Desired {
		if e := s.warning(set.UID, failedCreate); e != nil {
			r.refused, r.stale = e.Message, s.old(e)
		}
	}
	r.Ready = readyOf(r.Current)
	updated := r.Desired
	if set.Spec.UpdateStrategy.Type == object.OnDelete {
		updated = 0 // its pods change when somebody deletes them
		r.Ready = readyOf(append(r.Current, r.Earlier...))
	}
	switch {
	case st.CurrentNumberScheduled < r.Desired:
		r.waiting = fmt.Sprintf("%d of %d nodes have a pod", st.CurrentNumberScheduled, r.Desired)
	case st.UpdatedNumberScheduled < updated:
		r.waiting = fmt.Sprintf("%d of %d pods are of the new version", st.UpdatedNumberScheduled, updated)
	case st.NumberReady < r.Desired || st.NumberAvailable < r.Desired || r.Ready < updated:
		r.waiting = fmt.Sprintf("%d of %d pods are ready", min(r.Ready, st.NumberReady), r.Desired)
	default:
		r.Done = true
		if r.Desired == 0 {
			r.Idle = "no node is to run it"
		}
	}
	return r
}
