package devloop

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/livesync"
)

// Program is a service that is compiled on this machine: each save swaps the
// process.
type Program struct {
	Service   string
	Inputs    Inputs
	Container Container
	// File is the program's path below the synced folder.
	File string
	// Compile builds the program from the refreshed Inputs. It returns where
	// the program is and the hash of what it was compiled from: never that of
	// a file saved meanwhile. Its error is what the compiler said.
	Compile func(ctx context.Context) (path, hash string, err error)

	unlisted atomic.Bool // which files it is built from cannot be told now
}

// Name returns the service's name.
func (p *Program) Name() string { return p.Service }

// State says what its container told last.
func (p *Program) State(error) event.ServiceState { return StateOf(p.Service, p.Container.State()) }

// First compiles what is there: the container may run something else, and the
// next version can be sent as the difference to this one.
func (p *Program) First() Work { return Work{Action: event.Restart, All: true, Quiet: true} }

// Plan asks the build itself which paths it reads. Where the build cannot say,
// because an import or an embedded file is missing, any path may be that one.
func (p *Program) Plan(path string) Decision {
	switch {
	case p.Inputs.Contains(path):
		return Decision{p.Service, event.Restart, "the program is built from it"}
	case p.unlisted.Load() && !strings.HasSuffix(path, "_test.go"):
		return Decision{p.Service, event.Restart, "the program lacks a file, and this may be it"}
	}
	return ignored
}

// Run compiles, sends the program and has the process swapped.
func (p *Program) Run(ctx context.Context, work Work, trace *event.Reload) error {
	hash, binary, err := p.compile(ctx, work, trace)
	if err != nil {
		return err
	}
	trace.Build = hash
	if binary == "" {
		return nil
	}
	result, err := p.Container.Push(ctx, livesync.Change{
		Files: map[string]livesync.Source{p.File: {Path: binary}}, Complete: true,
		Build: hash, Restart: true, Force: work.Forced,
	})
	return settle(work, result, err, trace)
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
	err = p.Inputs.Refresh(ctx)
	p.unlisted.Store(err != nil && ctx.Err() == nil)
	if err != nil {
		return "", "", stopped(ctx, faultOf(err))
	}
	if hash = p.Inputs.Hash(); !work.All && p.runs(hash) {
		return hash, "", nil
	}
	binary, hash, err = p.Compile(ctx)
	if err != nil {
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
