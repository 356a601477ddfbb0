package health

import (
	"context"
	"fmt"
	"time"

	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/kube/object"
)

const (
	// askFirst and askMost bound the pause between two probes of a rollout
	// that is complete: it answers any moment now.
	askFirst = 50 * time.Millisecond
	askMost  = time.Second
	// apiPatience is how long the Kubernetes API may be away, which covers a
	// control plane that restarts.
	apiPatience = 30 * time.Second
	// crashLoop is how often a container has to end until it is given up; so
	// often where something else may still come up that it waits for. It takes
	// about 12 s and 40 s to get there.
	crashLoop, crashLoopBeside = 3, 4
	// processLoop is for how long a process that an agent starts has to end over
	// and over: its pauses are shorter.
	processLoop, processLoopBeside = 8 * time.Second, 40 * time.Second
)

// vigil is the wait for one target whose dependencies are healthy. Only the
// goroutine of keep touches it.
type vigil struct {
	wait     *waiting
	sink     event.Sink
	gate     *Gate
	board    *followed
	target   Target
	deadline time.Time

	last   diagnose.Finding
	shown  event.ServiceState
	before map[instance]int32 // how often each container had ended when the vigil began

	asking bool      // a probe is in flight
	askAt  time.Time // when to probe next
	pause  time.Duration
	proven bool // the last answer came from the complete rollout
	asIs   bool // it was healthy at the first look
	runs   diagnose.Steadiness

	ends    []time.Time // when it was seen that the process of an agent had ended once more
	endedAt time.Time   // the last end, by the clock of the node
	looked  bool        // whether its log was read

	suspect   string // the reason that looks hopeless, and since when
	suspectAt time.Time
	awayAt    time.Time // since when the API does not answer
}

// instance names a container of a pod.
type instance struct{ pod, container string }

// reply is the answer of a probe. Done says that the rollout was complete
// when it was asked.
type reply struct {
	diagnose.Answer
	process *diagnose.Process
	misled  string
	done    bool
}

func newVigil(w *waiting, t Target, deadline time.Time) *vigil {
	return &vigil{wait: w, sink: w.sink, gate: w.gate, board: w.boards[t.Namespace], target: t, deadline: deadline, pause: askFirst, asIs: true, runs: diagnose.Steadiness{}}
}

// keep returns the finding that decided: healthy, hopeless, or out of time.
func (v *vigil) keep(ctx context.Context) (diagnose.Finding, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	replies := make(chan reply, 1)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		snap, changed, trouble := v.board.look()
		now := time.Now()
		if v.board.isSynced() {
			v.observe(snap, now)
			v.ask(ctx, snap, now, replies)
		}
		if v.decided(trouble, now) {
			v.last.Why = v.gate.kube.withProof(ctx, v.target.Namespace, v.last.Why)
			return v.last, ctx.Err()
		}
		v.show()
		timer.Reset(v.nextLook(now))
		select {
		case <-ctx.Done():
			return v.last, ctx.Err()
		case <-v.board.ended:
			if ctx.Err() != nil {
				return v.last, ctx.Err()
			}
			return v.last, fmt.Errorf("waiting for service %q: %w", v.target.Service, v.board.err)
		case <-changed:
		case a := <-replies:
			v.heard(a)
		case <-timer.C:
		}
	}
}

// observe reads the rollout anew.
func (v *vigil) observe(snap *diagnose.Snapshot, now time.Time) {
	wasDone := v.last.Rollout.Done
	snap.Observe(&v.last, v.target.subject(), now)
	done := v.last.Rollout.Done
	switch {
	case !done:
		v.proven, v.asIs = false, false
	case !wasDone:
		v.askAt, v.pause = now, askFirst
	}
	v.last.Unsteady = !v.last.Rollout.Finite && !v.runs.Reached(v.target.subject(), v.last.Rollout, now)
	if v.before == nil {
		v.before = endings(v.last.Rollout.Current)
	}
}

// endings counts how often the containers of pods have ended.
func endings(pods []*object.Pod) map[instance]int32 {
	n := map[instance]int32{}
	for _, p := range pods {
		for _, c := range p.Statuses() {
			n[instance{p.Name, c.Name}] = diagnose.Endings(c)
		}
	}
	return n
}

// ask starts a probe when it is time for one.
func (v *vigil) ask(ctx context.Context, snap *diagnose.Snapshot, now time.Time, replies chan<- reply) {
	pod, ok := v.last.Rollout.Probed()
	if !ok || v.asking || now.Before(v.askAt) {
		return
	}
	v.asking = true
	rollout := v.last.Rollout
	go func() {
		asking, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		a, p := v.gate.inquire(asking, v.target, pod)
		r := reply{Answer: a, process: p, done: rollout.Done}
		if a.OK && r.done {
			r.misled = v.gate.misled(ctx, v.target, rollout, snap)
		}
		replies <- r // one in flight, room for one
	}()
}

func (v *vigil) heard(a reply) {
	v.asking = false
	v.last.Asked, v.last.Answer, v.last.Process, v.last.Misled = true, a.Answer, a.process, a.misled
	if p := a.process; p != nil {
		// Ends from before the dependencies were healthy prove nothing.
		if v.looked && p.Last.After(v.endedAt) {
			v.ends = append(v.ends, time.Now())
		}
		v.looked, v.endedAt = true, p.Last
	}
	v.proven = a.done && v.last.Rollout.Done
	if !a.OK || a.misled != "" {
		v.asIs = false
	}
	if v.last.Rollout.Done {
		v.askAt = time.Now().Add(v.pause)
		v.pause = min(v.pause*3/2, askMost)
	} else {
		v.askAt = time.Now().Add(askMost) // only to say why it is not ready
	}
}

// decided tells that waiting longer changes nothing.
func (v *vigil) decided(trouble error, now time.Time) bool {
	if v.last.Healthy() && (v.proven || v.last.Rollout.Ended) || v.last.Stopped() {
		return true
	}
	late := !now.Before(v.deadline)
	if trouble == nil {
		v.awayAt = time.Time{}
	} else {
		if v.awayAt.IsZero() {
			v.awayAt = now
		}
		if late || now.Sub(v.awayAt) >= apiPatience {
			v.last.Why = &diagnose.Reason{Cause: diagnose.Unready, Text: "the Kubernetes API does not answer: " + trouble.Error(),
				Hint: "is the cluster running? zr doctor looks into it"}
			return true
		}
	}
	if late && !v.board.isSynced() {
		v.last.Why = &diagnose.Reason{Cause: diagnose.Unready, Text: "the Kubernetes API did not answer in time"}
	}
	return late || v.hopeless(now)
}

// hopeless tells that the reason does not go away by waiting.
func (v *vigil) hopeless(now time.Time) bool {
	why := v.last.Why
	v.wait.hopes(v.target.Service, why == nil || why.Cause != diagnose.Crash)
	if why == nil {
		v.suspect = ""
		return false
	}
	if why.Cause == diagnose.Crash {
		return v.loops(*why, now)
	}
	if !why.Hopeless {
		v.suspect = ""
		return false
	}
	if v.suspect != why.Text {
		v.suspect, v.suspectAt = why.Text, now
	}
	return now.Sub(v.suspectAt) >= why.Settle
}

// loops tells that what ends by itself does so over and over.
func (v *vigil) loops(why diagnose.Reason, now time.Time) bool {
	beside := v.wait.others(v.target.Service)
	switch {
	case v.target.Kind == object.Job:
		return false // how often it is tried again, its manifest says
	case why.Process:
		least := processLoop
		if beside {
			least = processLoopBeside
		}
		return len(v.ends) >= crashLoop && now.Sub(v.ends[0]) >= least
	}
	least := int32(crashLoop)
	if beside {
		least = crashLoopBeside
	}
	// Crashes from before the dependencies were healthy prove nothing.
	return why.Crashes >= least && why.Crashes > v.before[instance{why.Pod, why.Container}]
}

// show emits the state where it changed.
func (v *vigil) show() {
	s := event.ServiceState{Service: v.target.Service, State: event.Starting, Reason: v.last.Wrong(v.target.subject()).Text, Build: v.last.Answer.Build}
	calm := v.last.Healthy() || v.last.Rollout.Done && (!v.last.Asked || v.last.Unsteady && v.last.Why == nil)
	if v.last.Answer.OK && v.last.Misled != "" && v.pause < askMost { // kube-proxy follows in a moment
		calm = true
	}
	if !v.board.isSynced() || calm || s == v.shown {
		return
	}
	v.shown = s
	v.sink.Emit(s)
}

// nextLook is how long to sleep where no change wakes the vigil.
func (v *vigil) nextLook(now time.Time) time.Duration {
	at := v.deadline
	earlier := func(t time.Time) {
		if t.After(now) && t.Before(at) {
			at = t
		}
	}
	if !v.asking {
		earlier(v.askAt)
	}
	if v.last.Unsteady {
		earlier(now.Add(diagnose.SteadyInterval))
	}
	if v.suspect != "" && v.last.Why != nil {
		earlier(v.suspectAt.Add(v.last.Why.Settle))
	}
	if why := v.last.Why; why != nil && why.Cause == diagnose.Crash {
		earlier(now.Add(askMost)) // the others may have come up
	}
	if !v.awayAt.IsZero() {
		earlier(v.awayAt.Add(apiPatience))
	}
	return max(at.Sub(now), time.Millisecond)
}
