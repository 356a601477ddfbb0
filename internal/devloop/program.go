package devloop

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"zr/pkg/build"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/livesync"
)

// Program is a service that is compiled on this machine: each save of its code
// swaps the process. Files that it reads at run time are sent beside it.
type Program struct {
	Service   string
	Root      string // of the project
	Inputs    Inputs
	Container Container
	build.Program
	// Budget bounds the builds of all programs together.
	Budget *Budget
	// Advice says what to do about a version that did not get healthy, from what
	// is said about it and its last lines; "" where that is not known. May be nil.
	Advice func(words string) string

	known    symlinks
	unlisted atomic.Bool       // which files it is built from cannot be told now
	built    string            // Inputs.Made of the program that the container runs; "" where that is not known
	sent     map[string]string // Beside, as the container has it
	saved    time.Time         // the last save, and the one before
	before   time.Time
}

// Name returns the service's name.
func (p *Program) Name() string { return p.Service }

// State says what its container told last.
func (p *Program) State(error) event.ServiceState { return StateOf(p.Service, p.Container) }

// First makes what is there live: the container may run something else. What was
// compiled for the image is not compiled again, but has to be at hand: the next
// version is sent as the difference to it, and a container that comes later is
// given it.
func (p *Program) First() Work { return Work{Action: event.Restart, All: true, Quiet: true} }

// Plan asks the build itself which paths it reads. Where the build cannot say,
// because an import or an embedded file is missing, any path may be that one.
func (p *Program) Plan(path string) Decision {
	names := p.names(path)
	loose := len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return !p.Inputs.Loose(name) })
	switch {
	case loose && p.ReadOnce:
		return Decision{p.Service, event.Restart, "the program reads it when it starts"}
	case loose:
		return Decision{p.Service, event.Sync, "the program reads it at run time"}
	case len(names) > 0:
		return Decision{p.Service, event.Restart, "the program is built from it"}
	case p.unlisted.Load() && (p.Missing == nil || p.Missing(path)):
		return Decision{p.Service, event.Restart, "the program lacks a file, and this may be it"}
	}
	return ignored
}

// Run makes a save live: files beside the program are sent; for all else it is
// compiled and swapped.
func (p *Program) Run(ctx context.Context, work Work, trace *event.Reload) error {
	if !trace.Saved.Equal(p.saved) {
		p.saved, p.before = trace.Saved, p.saved
	}
	var names []string
	for _, path := range work.Paths {
		names = append(names, p.names(path)...)
	}
	done, err := p.carry(ctx, work, names, trace)
	if !done {
		err = p.renew(ctx, work, trace)
	}
	var f *Fault
	if errors.As(err, &f) && p.Advice != nil {
		if advice := p.Advice(f.Text); advice != "" {
			f.Text += "\nhint: " + advice
		}
	}
	return err
}

// carry sends files that lie beside the program, where nothing else has changed
// since that was made. saved are the work's paths, as they are called among the
// inputs. done says that this was all.
func (p *Program) carry(ctx context.Context, work Work, saved []string, trace *event.Reload) (done bool, err error) {
	if work.All || len(saved) == 0 || slices.ContainsFunc(saved, func(path string) bool { return !p.Inputs.Loose(path) }) {
		return false, nil
	}
	if p.Inputs.Refresh(ctx) != nil || p.built == "" || p.Inputs.Made() != p.built {
		return false, nil
	}
	now, err := p.Beside()
	if err != nil {
		return true, err
	}
	change := livesync.Change{Files: map[string]livesync.Source{}, Build: p.Inputs.Hash(), Restart: true}
	for path, file := range now {
		if _, had := p.sent[path]; !had || slices.ContainsFunc(saved, func(path string) bool { return below(file, path) }) {
			change.Files[path] = livesync.Source{Path: file}
		}
	}
	for path := range p.sent {
		if _, still := now[path]; !still {
			change.Gone = append(change.Gone, path)
		}
	}
	slices.Sort(change.Gone)
	if !p.ReadOnce {
		change.Reread = func(path string) bool { return path != p.File }
	}
	trace.Build = change.Build
	result, err := p.Container.Push(ctx, change)
	trace.OnlySent = err == nil && !p.ReadOnce
	if err = conclude(work, result, err, trace); err == nil {
		p.sent = now
	} else {
		p.built = "" // what the container has is to be compared
	}
	return true, err
}

// renew compiles, sends the program and has the process swapped.
func (p *Program) renew(ctx context.Context, work Work, trace *event.Reload) error {
	hash, binary, err := p.compile(ctx, work, trace)
	if err != nil {
		return err
	}
	trace.Build = hash
	now, err := p.Beside()
	if err != nil {
		return err
	}
	made := p.Inputs.Made()
	if binary != "" {
		p.built = ""
		change := livesync.Change{Files: map[string]livesync.Source{p.File: {Path: binary}}, Complete: true, Build: hash, Restart: true, Force: work.Forced}
		for path, file := range now {
			change.Files[path] = livesync.Source{Path: file}
		}
		result, err := p.Container.Push(ctx, change)
		if err := conclude(work, result, err, trace); err != nil {
			return err
		}
	}
	p.built, p.sent = made, now
	p.known.find(p.Inputs, p.Root) // those of other packages may have come
	return nil
}

// runs reports whether the container runs what was built from the given inputs.
func (p *Program) runs(hash string) bool {
	s := p.Container.State()
	return s.InStep && s.Status.Phase == livesync.Healthy && s.Status.Build == hash
}

// compile builds the program, unless the container runs what was built from
// the same inputs.
func (p *Program) compile(ctx context.Context, work Work, trace *event.Reload) (hash, binary string, err error) {
	begin := time.Now()
	defer func() { trace.Built = time.Since(begin) }()
	release, err := p.Budget.Take(ctx, p.saved, p.before, work.Shared)
	if err != nil {
		return "", "", err
	}
	defer release()
	err = p.Inputs.Refresh(ctx)
	p.unlisted.Store(err != nil && ctx.Err() == nil)
	if err != nil {
		return "", "", stopped(ctx, faultOf(err))
	}
	hash = p.Inputs.Hash()
	if p.runs(hash) && !work.Forced {
		return hash, "", nil
	}
	if kept, err := p.Kept(); err == nil && !work.Forced {
		return hash, kept, nil
	}
	if binary, hash, err = p.Compile(ctx); err != nil {
		return "", "", stopped(ctx, faultOf(err))
	}
	return hash, binary, nil
}

// faultOf is what went wrong with the user's own code, and what can be done about
// it.
func faultOf(err error) *Fault {
	if hint := fault.HintOf(err); hint != "" {
		return &Fault{err.Error() + "\nhint: " + hint}
	}
	return &Fault{err.Error()}
}
