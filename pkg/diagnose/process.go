package diagnose

import (
	"fmt"
	"time"
)

// Process is what the agent of a pod tells of the process that it starts: to
// Kubernetes such a container runs and is not ready, whatever its process does.
type Process struct {
	UID, Pod, Container string    // of the pod, its name, and that of the container
	Ends                int       // how often it ended, of late
	Last                time.Time // the last end, by the clock of the node
	Reason              string    // of the last end: "exited with status 1 after 12ms"
	Output              []string  // the last lines that the process wrote before it
}

// processReason says how the process of an agent ended, where that was a short
// time ago: it does not answer, or nothing asks it and it has not run on for long
// enough to be believed.
func (f *Finding) processReason(t Target, now time.Time) *Reason {
	told := f.Process
	if told == nil || told.Ends == 0 || !f.Rollout.has(told.UID) {
		return nil
	}
	doubt := minRunRestarted
	if !f.Answer.OK {
		doubt = recently
	}
	if now.Sub(told.Last) >= doubt {
		return nil
	}
	r := &Reason{Cause: Crash, Pod: told.Pod, Container: told.Container, Process: true, Proof: told.Output,
		Text: fmt.Sprintf("the process in container %q %s", told.Container, told.Reason), Hint: t.logs() + " shows the whole log"}
	if told.Ends > 1 {
		r.Text += fmt.Sprintf(", for the %d. time", told.Ends)
	}
	if len(r.Proof) == 0 {
		r.Proof = []string{WroteNothing}
	}
	return r
}

// has tells whether a pod is of the current template.
func (r Rollout) has(uid string) bool {
	for _, p := range r.Current {
		if p.UID == uid {
			return true
		}
	}
	return false
}
