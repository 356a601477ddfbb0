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

// targetWait is the wait for one target whose dependencies are healthy. Only the
// goroutine of run touches it.
type targetWait struct {
	call     *waiting
	sink     event.Sink
	gate     *Gate
	informer *followed
	target   Target
	deadline time.Time

	last   diagnose.Finding
	shown  event.ServiceState
	before map[instance]int32 // how often each container had ended when the wait began

	asking bool      // a probe is in flight
	askAt  time.Time // when to probe next
	pause  time.Duration
	proven bool // the last answer came from the complete rollout
	asIs   bool // it was healthy at the first look
	runs   diagnose.MinRuns

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

func newTargetWait(w *waiting, t Target, deadline time.Time) *targetWait {
	return &targetWait{call: w, sink: w.sink, gate: w.gate, informer: w.informers[t.Namespace], target: t, deadline: deadline, pause: askFirst, asIs: true, runs: diagnose.MinRuns{}}
}

// run returns the finding that decided: healthy, hopeless, or out of time.
func (w *targetWait) run(ctx context.Context) (diagnose.Finding, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	replies := make(chan reply, 1)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		snap, changed, trouble := w.informer.look()
		now := time.Now()
		if w.informer.isSynced() {
			w.observe(snap, now)
			w.ask(ctx, snap, now, replies)
		}
		if w.decided(trouble, now) {
			w.last.Why = w.gate.kube.withProof(ctx, w.target.Namespace, w.last.Why)
			return w.last, ctx.Err()
		}
		w.show()
		timer.Reset(w.nextLook(now))
		select {
		case <-ctx.Done():
			return w.last, ctx.Err()
		case <-w.informer.ended:
			if ctx.Err() != nil {
				return w.last, ctx.Err()
			}
			return w.last, fmt.Errorf("waiting for service %q: %w", w.target.Service, w.informer.err)
		case <-changed:
		case a := <-replies:
			w.heard(a)
		case <-timer.C:
		}
	}
}

// observe reads the rollout anew.
func (w *targetWait) observe(snap *diagnose.Snapshot, now time.Time) {
	wasDone := w.last.Rollout.Done
	snap.Observe(&w.last, w.target.subject(), now)
	done := w.last.Rollout.Done
	switch {
	case !done:
		w.proven, w.asIs = false, false
	case !wasDone:
		w.askAt, w.pause = now, askFirst
	}
	w.last.Unproven = !w.last.Rollout.Finite && !w.runs.Reached(w.target.subject(), w.last.Rollout, now)
	if w.before == nil {
		w.before = endings(w.last.Rollout.Current)
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
func (w *targetWait) ask(ctx context.Context, snap *diagnose.Snapshot, now time.Time, replies chan<- reply) {
	pod, ok := w.last.Rollout.Probed()
	if !ok || w.asking || now.Before(w.askAt) {
		return
	}
	w.asking = true
	rollout := w.last.Rollout
	go func() {
		asking, cancel := context.WithTimeout(ctx, w.target.patience())
		defer cancel()
		a, p := w.gate.inquire(asking, w.target, pod)
		r := reply{Answer: a, process: p, done: rollout.Done}
		if a.OK && r.done {
			r.misled = w.gate.misled(ctx, w.target, rollout, snap)
		}
		replies <- r // one in flight, room for one
	}()
}

func (w *targetWait) heard(a reply) {
	w.asking = false
	w.last.Asked, w.last.Answer, w.last.Process, w.last.Misled = true, a.Answer, a.process, a.misled
	if p := a.process; p != nil {
		// Ends from before the dependencies were healthy prove nothing.
		if w.looked && p.Last.After(w.endedAt) {
			w.ends = append(w.ends, time.Now())
		}
		w.looked, w.endedAt = true, p.Last
	}
	w.proven = a.done && w.last.Rollout.Done
	if !a.OK || a.misled != "" {
		w.asIs = false
	}
	if w.last.Rollout.Done {
		w.askAt = time.Now().Add(w.pause)
		w.pause = min(w.pause*3/2, askMost)
	} else {
		w.askAt = time.Now().Add(askMost) // only to say why it is not ready
	}
}

// decided tells that waiting longer changes nothing.
func (w *targetWait) decided(trouble error, now time.Time) bool {
	if w.last.Healthy() && (w.proven || w.last.Rollout.Ended) || w.last.Stopped() {
		return true
	}
	late := !now.Before(w.deadline)
	if trouble == nil {
		w.awayAt = time.Time{}
	} else {
		if w.awayAt.IsZero() {
			w.awayAt = now
		}
		if late || now.Sub(w.awayAt) >= apiPatience {
			w.last.Why = &diagnose.Reason{Cause: diagnose.Unready, Text: "the Kubernetes API does not answer: " + trouble.Error(),
				Hint: "is the cluster running? zr doctor looks into it"}
			return true
		}
	}
	if late && !w.informer.isSynced() {
		w.last.Why = &diagnose.Reason{Cause: diagnose.Unready, Text: "the Kubernetes API did not answer in time"}
	}
	return late || w.hopeless(now)
}

// hopeless tells that the reason does not go away by waiting.
func (w *targetWait) hopeless(now time.Time) bool {
	why := w.last.Why
	w.call.hopes(w.target.Service, why == nil || why.Cause != diagnose.Crash)
	if why == nil {
		w.suspect = ""
		return false
	}
	if why.Cause == diagnose.Crash {
		return w.loops(*why, now)
	}
	if !why.Hopeless {
		w.suspect = ""
		return false
	}
	if w.suspect != why.Text {
		w.suspect, w.suspectAt = why.Text, now
	}
	return now.Sub(w.suspectAt) >= why.Grace
}

// loops tells that what ends by itself does so over and over.
func (w *targetWait) loops(why diagnose.Reason, now time.Time) bool {
	beside := w.call.others(w.target.Service)
	switch {
	case w.target.Kind == object.Job:
		return false // how often it is tried again, its manifest says
	case why.Process:
		least := processLoop
		if beside {
			least = processLoopBeside
		}
		return len(w.ends) >= crashLoop && now.Sub(w.ends[0]) >= least
	}
	least := int32(crashLoop)
	if beside {
		least = crashLoopBeside
	}
	// Crashes from before the dependencies were healthy prove nothing.
	return why.Crashes >= least && why.Crashes > w.before[instance{why.Pod, why.Container}]
}

// show emits the state where it changed.
func (w *targetWait) show() {
	s := event.ServiceState{Service: w.target.Service, State: event.Starting, Reason: w.last.Wrong(w.target.subject()).Text, Build: w.last.Answer.Build}
	calm := w.last.Healthy() || w.last.Rollout.Done && (!w.last.Asked || w.last.Unproven && w.last.Why == nil)
	if w.last.Answer.OK && w.last.Misled != "" && w.pause < askMost { // kube-proxy follows in a moment
		calm = true
	}
	if !w.informer.isSynced() || calm || s == w.shown {
		return
	}
	w.shown = s
	w.sink.Emit(s)
}

// nextLook is how long to sleep where no change wakes the wait.
func (w *targetWait) nextLook(now time.Time) time.Duration {
	at := w.deadline
	earlier := func(t time.Time) {
		if t.After(now) && t.Before(at) {
			at = t
		}
	}
	if !w.asking {
		earlier(w.askAt)
	}
	if w.last.Unproven {
		earlier(now.Add(diagnose.MinRunInterval))
	}
	if w.suspect != "" && w.last.Why != nil {
		earlier(w.suspectAt.Add(w.last.Why.Grace))
	}
	if why := w.last.Why; why != nil && why.Cause == diagnose.Crash {
		earlier(now.Add(askMost)) // the others may have come up
	}
	if !w.awayAt.IsZero() {
		earlier(w.awayAt.Add(apiPatience))
	}
	return max(at.Sub(now), time.Millisecond)
}
