package stack

import (
	"context"
	"path/filepath"

	"zr/pkg/cluster"
	"zr/pkg/cluster/doctor"
	"zr/pkg/cluster/engine"
	"zr/pkg/event"
	"zr/pkg/image"
)

// Check is one question about this machine, and what came of it.
type Check = doctor.Check

// Passed is the status of a check that found nothing wrong.
const Passed = doctor.OK

// Doctor looks for what this machine lacks for the environment. With a sink to
// tell of it, it fixes what it can. Checks come with an error where one of them
// has failed, and without where they could not be made.
func (s *Stack) Doctor(ctx context.Context, fix event.Sink) ([]Check, error) {
	p, err := s.render(ctx)
	if err != nil {
		return nil, err
	}
	_, missing := p.provider(nil).Find(ctx)
	needs, err := p.needs(missing != nil)
	if err != nil {
		return nil, err
	}
	checks := doctor.Run(ctx, needs)
	if fix != nil {
		if checks, err = doctor.Fix(ctx, needs, checks, fix); err != nil {
			return nil, err
		}
	}
	return checks, doctor.Err(checks)
}

// preflight refuses to begin what this machine cannot finish. It is for runs
// that have to make or fix a cluster; one that answers needs no questions.
func (p *project) preflight(ctx context.Context, provider cluster.Provider, create bool) error {
	needs, err := p.needs(create)
	if err != nil {
		return err
	}
	// It asked the engines a moment ago.
	if found, ok := provider.(interface{ Engine() engine.Engine }); ok {
		needs.Found = found.Engine()
	}
	checks := doctor.Run(ctx, needs)
	for _, check := range checks {
		if check.Status == doctor.Warn && check.Fix != nil { // what zr gets around, it says itself
			p.sink.Emit(event.Notice{Text: check.Name + ": " + check.Detail, Hint: check.Hint})
		}
	}
	return doctor.Err(checks)
}

// needs is what the environment wants of this machine. Ports are only looked
// at while there is no cluster that publishes them.
func (p *project) needs(create bool) (doctor.Needs, error) {
	store, err := image.DefaultDir()
	if err != nil {
		return doctor.Needs{}, err
	}
	n := doctor.Needs{Lines: linesOf(p.cfg), Engine: p.can().Own, Prefer: engine.Preferred(), Watch: p.dev != nil, Folders: []string{filepath.Dir(store)}, Sources: []string{p.cfg.File}}
	for _, tool := range kinds.Tools(p.builds) {
		n.Tools = append(n.Tools, doctor.Tool(tool))
	}
	if !create || !p.can().HostPorts {
		return n, nil
	}
	for _, port := range p.ports {
		n.Ports = append(n.Ports, doctor.Port{Service: port.name, Host: port.host})
	}
	return n, nil
}
