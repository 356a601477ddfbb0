package health

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"zr/pkg/agentspec"
)

// Under `zr dev` the container is zr's agent, which starts the process again by
// itself: to Kubernetes it runs and is not ready. Why that is, is in its log.
const (
	// agentLogger and agentEnded tell the agent's line about an end from what
	// the process writes.
	agentLogger = "zr-agent"
	agentEnded  = "the process ended"
	// agentLines is how much of the log is read: several starts of a program
	// that says a lot.
	agentLines = 400
)

// process is what the agent of a pod tells of the process that it starts.
type process struct {
	uid, pod, container string
	ends                int       // in the lines that were read
	last                time.Time // by the clock of the node
	reason              string    // of the last end: "exited with status 1 after 12ms"
	output              []string  // the last lines that the process wrote before it
}

// agentOf returns the name of the container that is an agent, or "".
func agentOf(p *corev1.Pod) string {
	for _, c := range p.Spec.Containers {
		for _, v := range c.Env {
			if v.Name == agentspec.EnvToken { // no other container has that
				return c.Name
			}
		}
	}
	return ""
}

// inquire probes a pod, and where the answer does not vouch for the process of an
// agent, looks into its log.
func (g *Gate) inquire(ctx context.Context, t Target, p *corev1.Pod) (answer, *process) {
	a := g.probe(ctx, t, refOf(p))
	container := agentOf(p)
	if container == "" || a.ok && isReady(p) && vouched(t, p, container) {
		return a, nil
	}
	lines, err := g.kube.tail(ctx, p.Namespace, p.Name, container, false, agentLines)
	if err != nil {
		return a, nil // the answer says something, too
	}
	told := endsIn(lines)
	told.uid, told.pod, told.container = string(p.UID), p.Name, container
	return a, &told
}

// endsIn finds the ends of the process in the log of an agent.
func endsIn(lines []logLine) process {
	var told process
	var wrote []string
	for _, l := range lines {
		var said struct{ Logger, Msg, Reason string }
		if json.Unmarshal([]byte(l.text), &said) != nil || said.Logger != agentLogger {
			wrote = append(wrote, l.text)
			continue
		}
		if said.Msg == agentEnded {
			told.ends++
			told.last, told.reason, told.output = l.at, said.Reason, wrote[max(0, len(wrote)-shownLines):]
			wrote = nil
		}
	}
	return told
}

// processReason says how the process of an agent ended, where that was a short
// time ago: it does not answer, or nothing asks it and it has not run on for long
// enough to be believed.
func (f finding) processReason(t Target, now time.Time) *reason {
	told := f.process
	if told == nil || told.ends == 0 || !f.rollout.has(told.uid) {
		return nil
	}
	doubt := steadyRestart
	if !f.answer.ok {
		doubt = recently
	}
	if now.Sub(told.last) >= doubt {
		return nil
	}
	r := &reason{cause: crash, pod: told.pod, container: told.container, process: true, proof: told.output,
		text: fmt.Sprintf("the process in container %q %s", told.container, told.reason), hint: t.logs() + " shows the whole log"}
	if told.ends > 1 {
		r.text += fmt.Sprintf(", for the %d. time", told.ends)
	}
	if len(r.proof) == 0 {
		r.proof = []string{wroteNothing}
	}
	return r
}

// has tells whether a pod is of the current template.
func (r rollout) has(uid string) bool {
	for _, p := range r.current {
		if string(p.UID) == uid {
			return true
		}
	}
	return false
}
