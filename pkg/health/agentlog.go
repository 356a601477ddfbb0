package health

import (
	"context"
	"encoding/json"

	"zr/pkg/agentspec"
	"zr/pkg/diagnose"
	"zr/pkg/kube/object"
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

// agentOf returns the name of the container that is an agent, or "".
func agentOf(p *object.Pod) string {
	for _, c := range p.Spec.Containers {
		if _, ok := c.EnvOf(agentspec.EnvToken); ok { // no other container has that
			return c.Name
		}
	}
	return ""
}

// inquire probes a pod, and where the answer does not vouch for the process of an
// agent, looks into its log.
func (g *Gate) inquire(ctx context.Context, t Target, p *object.Pod) (diagnose.Answer, *diagnose.Process) {
	a := g.probe(ctx, t, p)
	container := agentOf(p)
	if container == "" || a.OK && p.Ready() && diagnose.Vouched(t.subject(), p, container) {
		return a, nil
	}
	lines, err := g.kube.tail(ctx, p.Namespace, p.Name, container, false, agentLines)
	if err != nil {
		return a, nil // the answer says something, too
	}
	told := endsIn(lines)
	told.UID, told.Pod, told.Container = p.UID, p.Name, container
	return a, &told
}

// endsIn finds the ends of the process in the log of an agent.
func endsIn(lines []logLine) diagnose.Process {
	var told diagnose.Process
	var wrote []string
	for _, l := range lines {
		var said struct{ Logger, Msg, Reason string }
		if json.Unmarshal([]byte(l.text), &said) != nil || said.Logger != agentLogger {
			wrote = append(wrote, l.text)
			continue
		}
		if said.Msg == agentEnded {
			told.Ends++
			told.Last, told.Reason, told.Output = l.at, said.Reason, wrote[max(0, len(wrote)-shownLines):]
			wrote = nil
		}
	}
	return told
}
