// Package livesync keeps the files of a running container in step with files of this
// machine, through the agent in the container. The smallest change is sent, and put in
// place completely or not at all. The process is swapped where that is asked for.
//
// A Client holds one connection open and dials again when it breaks or when the pod is
// replaced. It remembers what the container is to hold. So a transfer that was
// cancelled or lost is made up for by the next one. A container that came up with other
// files gets the difference by itself.
package livesync

import (
	"context"
	"errors"
	"io"
	"time"

	"zr/pkg/agentspec/wire"
)

// Dialer opens byte streams to the agent. Package portforward has the one for
// Kubernetes.
type Dialer interface {
	// Dial opens a stream. Closing it must end pending reads and writes. An
	// error that wraps ErrRefused ends the client, any other is tried again.
	Dial(ctx context.Context) (Stream, error)
}

// Stream is a connection to one agent.
type Stream struct {
	io.ReadWriteCloser
	Peer string // who it leads to, for messages: the pod's name
}

// Options say whom a client speaks with.
type Options struct {
	Dialer Dialer
	Token  string
	// Patience is how long a new process has to get healthy. Default: ten seconds.
	Patience time.Duration
	// OnChange is called after the connection, the process or the agreement of
	// files has changed. Calls do not overlap; it must not call the client's
	// Push. May be nil.
	OnChange func(State)
	// OnReplay is called with the outcome when the client made up for a
	// difference by itself. May be nil.
	OnReplay func(Result, error)
}

// Status is what the container runs.
type Status = wire.Status

// What the process of a container is doing.
const (
	Starting = wire.Starting // it runs, and has not answered as healthy yet
	Healthy  = wire.Healthy  // it runs, and answers its readiness probe
	Unready  = wire.Unready  // it runs, and has stopped to answer its readiness probe
	Down     = wire.Down     // it ended by itself and is started again after a pause
)

// State is what a client knows about the other side.
type State struct {
	// Connected says that the agent answers. Err says why it does not.
	Connected bool
	Err       error
	// Peer is the pod that the client speaks with, or spoke with last.
	Peer string
	// Status is what the agent said last.
	Status Status
	// InStep says that the container holds exactly what it is to hold: always
	// false before the first Push.
	InStep bool
	// Agreed says that it holds what it held when the last Push, or what made
	// up for a difference since, ended: InStep, or a version that is kept in
	// place of one that did not get healthy.
	Agreed bool
}

// Source is a file of this machine. Its executable bit travels with it; other
// permissions and the owner do not. A symbolic link counts as its target.
type Source struct {
	Path string
}

// CanHold says whether a container can hold a file of this name: one that is
// below the folder, valid UTF-8, and not the agent's own. Push refuses others.
func CanHold(path string) bool { return wire.CheckPath(path) == nil }

// Change is what a container is to hold from now on.
type Change struct {
	// Files maps slash-separated paths, relative to the synced folder, to
	// local files. A file that does not exist when it is read counts as gone.
	Files map[string]Source
	// Gone are files, or folders with all that is in them, to delete.
	Gone []string
	// Complete says that the container is to hold Files and nothing else.
	// Files that the process itself created stay.
	Complete bool
	// Build is the hash of the code that the container then holds.
	Build string
	// Restart swaps the process, if a file or the build hash changed.
	Restart bool
	// Reread says of a path below the folder that the process reads the file
	// whenever it needs it: where no other files changed, they are put in place,
	// and Restart swaps nothing. May be nil.
	Reread func(path string) bool
	// Force swaps the process, or has its watcher look at Files again, even
	// if nothing changed.
	Force bool
}

// Result is what a Push did. The durations follow each other.
type Result struct {
	// Bytes is what travelled to the container.
	Bytes int64
	// Unchanged says that there was nothing to do.
	Unchanged bool
	// Sent is from the call until the files were in place in the container.
	Sent time.Duration
	// Swapped is from there until the new process ran.
	Swapped time.Duration
	// Healthy is from there until it answered as healthy.
	Healthy time.Duration
	// Reason says why the change is not live; empty where it is.
	Reason string
	// Output holds the last lines of a version that did not get healthy.
	Output []string
	// RolledBack says that the last good version runs again; Restored is how
	// long that took from the verdict on.
	RolledBack bool
	Restored   time.Duration
	// Build and Tree are the hashes of what the container runs and holds now.
	Build string
	Tree  wire.Sum
}

// Errors that a caller can tell apart with errors.Is.
var (
	// ErrClosed says that the client was closed.
	ErrClosed = errors.New("the client is closed")
	// ErrReplaced says that another zr took over the container.
	ErrReplaced = errors.New("another zr has taken over this container")
	// ErrRefused says that the agent, or the cluster, will not let this
	// client in, however often it asks.
	ErrRefused = errors.New("the connection was refused for good")
	// ErrSuperseded says that a newer change came before this one was live.
	ErrSuperseded = errors.New("a newer change came before this one was live")
)
