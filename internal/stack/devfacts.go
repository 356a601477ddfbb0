package stack

import (
	"cmp"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"zr/pkg/agentspec"
	"zr/pkg/build"
	"zr/pkg/event"
	"zr/pkg/livesync/portforward"
)

// facts are what was read and rendered last, as far as it concerns goroutines
// that go on while it is done again. They are never changed, but replaced.
type facts struct {
	namespace string            // of the workloads
	dashboard string            // URL of the one beside the environment, or of the service that answered at the lowest port; empty where none did
	urls      map[string]string // of all that answered, by service
	services  []string          // that are gated, sorted
	idle      map[string]string // why a service is not meant to run, where it is not
	wiring    []wiring
	applied   []wanted // workloads that run
}

// wiring is what the unit of a service is made for: another one takes another
// unit.
type wiring struct {
	request build.Request
	mode    build.DevMode      // where the service is reloaded in place
	target  portforward.Target // of the agent, where the service is reloaded in place
	// patience is how long a version that was saved has to get healthy; 0 where the
	// config does not say.
	patience time.Duration
}

// publish makes what a `zr dev` has found known to everybody.
func (d *Dev) publish(now *current) {
	p := now.project
	f := &facts{namespace: p.rendered.Namespace, urls: and(urls(now.reached), now.dashboard), idle: map[string]string{}}
	lowest := int32(0)
	for _, e := range now.reached {
		if e.err == nil && e.scheme != "" && (lowest == 0 || e.host < lowest) {
			lowest, f.dashboard = e.host, e.url()
		}
	}
	f.dashboard = cmp.Or(now.dashboard[dashboardName], f.dashboard)
	targets := map[string]portforward.Target{}
	for _, w := range p.rendered.Workloads() {
		if !serves(w.Kind) {
			continue
		}
		if w.Replicas == 0 {
			f.idle[w.Name] = w.Idle
		}
		targets[w.Name] = portforward.Target{
			Namespace: w.Namespace, Selector: selector(w.Selector), Container: w.Own().Name, Port: agentspec.DefaultPort,
		}
	}
	for _, r := range p.builds {
		next := wiring{request: r}
		if r.Mode == build.Dev {
			next.target = targets[r.Service]
			// What could be rendered can be asked for this, too.
			next.mode, _ = p.builder().DevMode(r)
			next.patience = time.Duration(p.cfg.Services[r.Service].Timeout)
		}
		f.wiring = append(f.wiring, next)
	}
	for _, w := range p.rendered.Workloads() {
		if !serves(w.Kind) {
			continue
		}
		reloaded := slices.ContainsFunc(f.wiring, func(r wiring) bool { return r.request.Service == w.Name && r.request.Mode == build.Dev })
		f.applied = append(f.applied, wanted{w.Kind, w.Name, reloaded})
	}
	for _, t := range p.targets(p.lines) {
		f.services = append(f.services, t.Service)
	}
	slices.Sort(f.services)
	before := d.facts.Swap(f)
	if before == nil {
		return
	}
	for _, name := range before.services {
		if !f.runs(name) {
			d.sink.Emit(event.ServiceState{Service: name, State: event.Removed})
		}
	}
}

// runs tells whether a service is among those of the manifests.
func (f *facts) runs(service string) bool {
	_, found := slices.BinarySearch(f.services, service)
	return found
}

// syncs says of a file that it belongs to a service to which sources are sent as
// they are.
func (d *Dev) syncs(path string) bool {
	f := d.facts.Load()
	if f == nil {
		return false
	}
	return slices.ContainsFunc(f.wiring, func(w wiring) bool {
		return w.mode.Sources != "" && strings.HasPrefix(path, w.mode.Sources+string(filepath.Separator))
	})
}

// rewired returns errRewired once the services are not those that the units
// were made for.
func (d *Dev) rewired(units []wiring) error {
	if !reflect.DeepEqual(units, d.facts.Load().wiring) {
		return errRewired
	}
	return nil
}
