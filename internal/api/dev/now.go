package dev

import (
	"encoding/json"
	"time"

	"zr/pkg/devattach"
	"zr/pkg/event"
)

// Doing is something that a run does now.
type Doing struct {
	What  string    `json:"what" doc:"The name of a step or a service."`
	State string    `json:"state" enum:"running,building,reloading" doc:"running: a step of bringing the environment up."`
	Since time.Time `json:"since"`
}

// running is the state of a step. The keys of what a run does tell steps and services of
// one name apart.
const (
	running   = "running"
	ofStep    = "step "
	ofService = "service "
)

// doingOf are things that a run does, by their keys.
func doingOf(now []Doing) map[string]Doing {
	all := map[string]Doing{}
	for _, d := range now {
		key := ofService + d.What
		if d.State == running {
			key = ofStep + d.What
		}
		all[key] = d
	}
	return all
}

// maxDoing bounds what is held for one run.
const maxDoing = 500

// Happened notes what events mean for what the run does now.
func (c *Channel) Happened(events []devattach.Event) {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	changed := false
	for _, e := range events {
		changed = c.note(e) || changed
	}
	if changed {
		c.hub.tellAll()
	}
}

// note returns whether that changed. The hub's mutex is held.
func (c *Channel) note(e devattach.Event) bool {
	var of struct {
		Step    string
		Service string
		State   event.State
	}
	if json.Unmarshal(e.Data, &of) != nil {
		return false
	}
	key, state := ofStep+of.Step, running
	ends := e.Type == event.StepDone{}.Type() || e.Type == event.StepFailed{}.Type()
	switch e.Type {
	case event.StepStarted{}.Type(), event.StepDone{}.Type(), event.StepFailed{}.Type():
	case event.ServiceState{}.Type():
		key, state = ofService+of.Service, string(of.State)
		ends = of.State != event.Building && of.State != event.Reloading
	default:
		return false
	}
	_, was := c.doing[key]
	if ends {
		delete(c.doing, key)
		return was
	}
	if len(c.doing) >= maxDoing {
		return false
	}
	what := of.Step + of.Service // one of them is empty
	c.doing[key] = Doing{What: what, State: state, Since: e.At.UTC()}
	return true
}
