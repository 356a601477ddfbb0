package devloop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"zr/pkg/build"
	"zr/pkg/event"
	"zr/pkg/livesync"
)

// Inputs is what a service is built from, as build.InputSet knows it.
type Inputs interface {
	Refresh(ctx context.Context) error
	Hash() string
	Contains(path string) bool
	Files() []build.InputFile
	Folders() []build.InputFolder
	// Made is the hash of those that something is made from, and Loose says that
	// a path is none of them: its file lies beside what is made.
	Made() string
	Loose(path string) bool
}

// Container is a running container that is kept in step, as livesync.Client
// does it, and found by its Services.
type Container interface {
	Push(ctx context.Context, c livesync.Change) (livesync.Result, error)
	State() livesync.State
	// Unreached says why nobody reaches the process by its Services although it
	// is healthy; empty where they lead to it.
	Unreached() string
}

// Sources is a service to which saves are sent as they are. A dev server picks
// them up by itself; any other process is started anew.
type Sources struct {
	Service      string
	Inputs       Inputs
	Container    Container
	Root         string // of the project: InputFile paths are relative to it
	build.Folder        // what the synced folder mirrors
	// Rebuild makes the image and has it deployed: what is not among the
	// sources changed, such as the dependencies.
	Rebuild func(ctx context.Context) error

	failed event.Action // of the last run, if that did not end well
	known  symlinks
}

// Name returns the service's name.
func (s *Sources) Name() string { return s.Service }

// State says what its container told last.
func (s *Sources) State(error) event.ServiceState { return StateOf(s.Service, s.Container) }

// First compares every file: the container may hold an earlier `zr dev`'s.
func (s *Sources) First() Work { return Work{Action: event.Sync, All: true, Quiet: true} }

// Plan sends what is a source, and rebuilds the image when its dependencies change.
func (s *Sources) Plan(path string) Decision {
	decision := ignored
	for _, name := range s.names(path) {
		if d := s.plan(name); dearer(decision.Action, d.Action) != decision.Action {
			decision = d
		}
	}
	return decision
}

func (s *Sources) plan(path string) Decision {
	below, err := filepath.Rel(s.Dir, path)
	if err != nil || strings.HasPrefix(below, "..") || !s.Inputs.Contains(path) {
		return ignored
	}
	if s.Rebuilds != nil {
		if why := s.Rebuilds(below); why != "" {
			return Decision{s.Service, event.Rebuild, why}
		}
	}
	if s.Restarts {
		return Decision{s.Service, event.Restart, "the process is started anew with it"}
	}
	return Decision{s.Service, event.Sync, "the process picks it up"}
}

// Run sends what changed, or everything where paths do not tell. What a failed
// run did not do is done by the next one.
func (s *Sources) Run(ctx context.Context, work Work, trace *event.Reload) error {
	if s.failed != "" {
		work.Action, work.All = dearer(work.Action, s.failed), true
	}
	s.failed = work.Action
	if err := s.run(ctx, work, trace); err != nil {
		return err
	}
	s.failed = ""
	return nil
}

func (s *Sources) run(ctx context.Context, work Work, trace *event.Reload) error {
	if err := s.Inputs.Refresh(ctx); err != nil {
		return stopped(ctx, faultOf(err))
	}
	if work.Action == event.Rebuild {
		begin := time.Now()
		if err := s.rebuild(ctx); err != nil {
			return stopped(ctx, faultOf(err))
		}
		trace.Built = time.Since(begin)
	}
	change := livesync.Change{Files: map[string]livesync.Source{}, Build: s.Inputs.Hash(), Restart: s.Restarts || work.Forced && work.Action == event.Restart}
	change.Force = work.Forced && change.Restart
	trace.Build, trace.OnlySent = change.Build, !change.Restart
	if work.All || work.Action == event.Rebuild || slices.ContainsFunc(work.Paths, s.decides) {
		change.Complete = true
		s.known.find(s.Inputs, s.Root)
		for _, file := range s.Inputs.Files() {
			s.add(&change, filepath.Join(s.Root, file.Path))
		}
		if err := s.addMade(ctx, &change); err != nil {
			return stopped(ctx, faultOf(err))
		}
	} else {
		for _, path := range work.Paths {
			for _, name := range s.names(path) {
				if name == path || s.Inputs.Contains(name) {
					s.add(&change, name)
				}
			}
		}
	}
	result, err := s.Container.Push(ctx, change)
	return conclude(work, result, err, trace)
}

// rebuild makes the image anew and has it deployed. What is wrong with the files
// that Reread reads, Rebuild has said already.
func (s *Sources) rebuild(ctx context.Context) error {
	err := s.Rebuild(ctx)
	if s.Reread == nil {
		return err
	}
	if unread := s.Reread(); err == nil {
		err = unread
	}
	return err
}

// addMade puts what was made beside the sources into a change. It is what the image
// has, also in place of a source.
func (s *Sources) addMade(ctx context.Context, change *livesync.Change) error {
	if s.Made == nil {
		return nil
	}
	made, err := s.Made(ctx)
	if err != nil {
		return err
	}
	maps.Copy(change.Files, sendable(made))
	return nil
}

// decides says that a path decides which files there are: an ignore file, a
// symlink, or the whole folder.
func (s *Sources) decides(path string) bool {
	name := filepath.Base(path)
	return name == ".gitignore" || name == ".zrignore" || slices.Contains(s.names(path), s.Dir) || s.isSymlink(path)
}

// add puts a path into a change: a file to send, or something that is gone, be
// it for a folder that has its name now. Files with names that no container
// can be told stay here.
func (s *Sources) add(change *livesync.Change, path string) {
	below, err := filepath.Rel(s.Dir, path)
	if err != nil || strings.HasPrefix(below, "..") {
		return
	}
	below = filepath.ToSlash(below)
	if s.Private != nil && s.Private(below) || !livesync.CanHold(below) {
		return
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !info.Mode().IsRegular() {
		change.Gone = append(change.Gone, below)
		return
	}
	change.Files[below] = livesync.Source{Path: path}
}

// conclude fills a trace with what a push did, and turns a version that did not
// get healthy into an error. Where nobody asked and nothing was sent, what the
// process does is its own affair, of which its state tells.
func conclude(work Work, r livesync.Result, err error, trace *event.Reload) error {
	trace.Bytes, trace.Sent, trace.Swapped, trace.Healthy = r.Bytes, r.Sent, r.Swapped, r.Healthy
	if err != nil {
		return err
	}
	if r.Reason == "" || work.Quiet && r.Unchanged {
		return nil
	}
	text := withOutput(r.Reason, r.Output)
	if r.RolledBack {
		trace.Build = r.Build
		return fmt.Errorf("%w (it answered again after %v): %w", ErrRolledBack, r.Restored.Round(time.Millisecond), &Fault{text})
	}
	return &Fault{text}
}

// stopped prefers the context's error: what a cancelled run says is of no use.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

var ignored = Decision{Action: event.Ignore, Reason: "no service is made from it"}
