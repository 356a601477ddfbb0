// Package environments holds what the api serves: its own namespace, or, in a
// control room, every namespace that it was given rights on.
package environments

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"zr/internal/api/configuration"
	"zr/internal/api/expiry"
	"zr/internal/api/fleet"
	"zr/internal/api/lifecycle"
	"zr/internal/api/logstore"
	"zr/internal/api/usage"
)

// ErrUnknown says that the api serves no such environment.
var ErrUnknown = errors.New("there is no such environment")

// Environment is a namespace that is served.
type Environment struct {
	Name string // of its namespace
	Set  string // what zr calls it: "shop-dev"; empty where that is not known
	Own  bool   // it is the namespace that the api itself runs in

	Services      *fleet.Reader
	Changes       *lifecycle.Services
	Configuration *configuration.Configuration
	Logs          *logstore.Collector
	Usage         *usage.Source           // nil outside of a cluster
	Life          *expiry.Life            // nil outside of a cluster
	Jobs          []func(context.Context) // that run as long as it is served
}

// Key is what its rows in the database are found by: empty for the api's own, which
// were there before rows had one.
func (e *Environment) Key() string {
	if e.Own {
		return ""
	}
	return e.Name
}

// Target is how the audit log calls a service of the environment.
func (e *Environment) Target(service string) string {
	if e.Own {
		return service
	}
	return e.Name + "/" + service
}

// run does the jobs until ctx ends.
func (e *Environment) run(ctx context.Context) {
	var jobs sync.WaitGroup
	for _, job := range e.Jobs {
		jobs.Go(func() { job(ctx) })
	}
	jobs.Wait()
}

// Set are the environments that are served. It is safe for concurrent use.
type Set struct {
	source Grants // nil where there is one environment for good
	open   func(Grant) *Environment

	mu      sync.Mutex
	all     map[string]*Environment
	running map[string]context.CancelFunc
	jobs    sync.WaitGroup
}

// Only serves one environment.
func Only(e *Environment) *Set { return &Set{all: map[string]*Environment{e.Name: e}} }

// Granted serves the environments that source tells of, each of which open makes.
func Granted(source Grants, open func(Grant) *Environment) *Set {
	return &Set{source: source, open: open, all: map[string]*Environment{}, running: map[string]context.CancelFunc{}}
}

// List returns the environments, sorted by name.
func (s *Set) List() []*Environment {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Environment, 0, len(s.all))
	for _, e := range s.all {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Environment) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Find returns the environment of a name, and for "" the first of List.
func (s *Set) Find(name string) (*Environment, error) {
	for _, e := range s.List() {
		if name == "" || e.Name == name {
			return e, nil
		}
	}
	return nil, ErrUnknown
}

// Run does the jobs of the environments until ctx ends.
func (s *Set) Run(ctx context.Context) {
	if s.source == nil {
		for _, e := range s.List() {
			s.jobs.Go(func() { e.run(ctx) })
		}
	} else {
		s.source.Follow(ctx, func(grants []Grant) { s.serve(ctx, grants) })
	}
	s.jobs.Wait()
}

// serve makes grants what is served.
func (s *Set) serve(ctx context.Context, grants []Grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	given := map[string]bool{}
	for _, g := range grants {
		given[g.Namespace] = true
		if s.all[g.Namespace] != nil {
			continue
		}
		e := s.open(g)
		within, end := context.WithCancel(ctx)
		s.all[e.Name], s.running[e.Name] = e, end
		s.jobs.Go(func() { e.run(within) })
	}
	for name, end := range s.running {
		if !given[name] {
			end()
			delete(s.all, name)
			delete(s.running, name)
		}
	}
}
