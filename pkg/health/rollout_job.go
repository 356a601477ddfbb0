package health

import (
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// jobRollout reads how far a Job is. Its pods are to end, and those that were
// tried before the last one count as well: its template cannot change.
func (s *snapshot) jobRollout(job *batchv1.Job) rollout {
	r := rollout{found: true, finite: true, uid: job.UID, desired: replicas(job.Spec.Completions), ready: job.Status.Succeeded,
		image: imageOf(job.Spec.Template, job.Name), creator: job.UID, current: s.podsOf(job.UID)}
	for _, c := range job.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete:
			r.done, r.ended = true, true
			return r
		case batchv1.JobFailed:
			r.failed = strings.TrimSuffix(c.Reason+": "+c.Message, ": ")
			return r
		}
	}
	switch {
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		r.desired, r.done, r.idle = 0, true, "its manifest suspends it"
	case job.Status.Failed > 0:
		r.waiting = fmt.Sprintf("it has not completed, %d pods failed", job.Status.Failed)
	default:
		r.waiting = "it has not completed"
	}
	if job.Status.Active == 0 && len(r.current) == 0 && !r.done {
		if e := s.warning(job.UID, failedCreate); e != nil {
			r.refused, r.stale = e.Message, s.old(e)
		}
	}
	return r
}

// failureReason says why a Job was given up, with the log of its last pod that
// failed.
func failureReason(t Target, r rollout) *reason {
	why := &reason{cause: failed, hopeless: true, text: "it was given up: " + r.failed,
		hint: "zr runs it again when its image or manifest changes, or once it is gone: " + t.kubectl("delete", "job", t.name())}
	for _, p := range r.current {
		for _, c := range allStatuses(p) {
			if last := c.State.Terminated; last != nil && last.ExitCode != 0 {
				why.pod, why.container, why.logged = p.Name, c.Name, true
				why.text += fmt.Sprintf("; container %q ended with exit code %d", c.Name, last.ExitCode)
				return why
			}
		}
	}
	why.hint += "; with restartPolicy: Never its pods stay, and their logs with them"
	return why
}
