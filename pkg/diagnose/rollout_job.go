package diagnose

import (
	"fmt"
	"strings"

	"zr/pkg/kube/object"
)

// jobRollout reads how far a Job is. Its pods are to end, and those that were
// tried before the last one count as well: its template cannot change.
func (s *Snapshot) jobRollout(job *object.Workload) Rollout {
	r := Rollout{found: true, Finite: true, uid: job.UID, Desired: object.Wanted(job.Spec.Completions), Ready: job.Status.Succeeded,
		Image: imageOf(job), creator: job.UID, Current: s.podsOf(job.UID)}
	for _, c := range job.Status.Conditions {
		if c.Status != "True" {
			continue
		}
		switch c.Type {
		case "Complete":
			r.Done, r.Ended = true, true
			return r
		case "Failed":
			r.failed = strings.TrimSuffix(c.Reason+": "+c.Message, ": ")
			return r
		}
	}
	switch {
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		r.Desired, r.Done, r.Idle = 0, true, "its manifest suspends it"
	case job.Status.Failed > 0:
		r.waiting = fmt.Sprintf("it has not completed, %d pods failed", job.Status.Failed)
	default:
		r.waiting = "it has not completed"
	}
	if job.Status.Active == 0 && len(r.Current) == 0 && !r.Done {
		if e := s.warning(job.UID, failedCreate); e != nil {
			r.refused, r.stale = e.Message, s.old(e)
		}
	}
	return r
}

// failureReason says why a Job was given up, with the log of its last pod that
// failed.
func failureReason(t Target, r Rollout) *Reason {
	why := &Reason{Cause: Failed, Hopeless: true, Text: "it was given up: " + r.failed,
		Hint: "zr runs it again when its image or manifest changes, or once it is gone: " + t.kubectl("delete", "job", t.name())}
	for _, p := range r.Current {
		for _, c := range p.Statuses() {
			if last := c.State.Terminated; last != nil && last.ExitCode != 0 {
				why.Pod, why.Container, why.Logged = p.Name, c.Name, true
				why.Text += fmt.Sprintf("; container %q ended with exit code %d", c.Name, last.ExitCode)
				return why
			}
		}
	}
	why.Hint += "; with restartPolicy: Never its pods stay, and their logs with them"
	return why
}
