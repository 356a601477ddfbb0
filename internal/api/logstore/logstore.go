// Package logstore keeps what the containers of an environment write. It follows them,
// makes records of the lines, takes known secrets out, and stores each once. It hands
// them to those who watch and those who search.
package logstore

import (
	"context"
	"errors"
	"time"

	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

// ErrHeld says that another replica collects the logs of an environment.
var ErrHeld = errors.New("another replica collects these logs")

// ErrDeposed says that another replica has collected since: what this one still
// wants to write is there already, or will be.
var ErrDeposed = errors.New("another replica has taken over these logs")

// Position is a place in the order of lines: by time, then by ID. The zero
// Position is before all lines.
type Position struct {
	At time.Time
	ID int64
}

// PositionOf returns where a line is.
func PositionOf(l *logline.Line) Position { return Position{l.Time, l.ID} }

// Compare orders positions.
func (p Position) Compare(other Position) int {
	if c := p.At.Compare(other.At); c != 0 {
		return c
	}
	switch {
	case p.ID < other.ID:
		return -1
	case p.ID > other.ID:
		return 1
	}
	return 0
}

// Container is a container of one pod.
type Container struct{ PodUID, Name string }

// Batch is what is stored at once, or not at all.
type Batch struct {
	Environment string
	Epoch       int64
	Lines       []*logline.Line
	// Cursors are where to go on after these lines.
	Cursors map[Container]follow.Cursor
}

// Partition is a part of the lines of an environment.
type Partition struct {
	Number          int64
	FirstAt, LastAt time.Time
	// Blocks are those of its blocks that may have lines of a scope, a bit each; 0
	// where it has none, since it was not sealed long ago.
	Blocks uint32
}

// Scope narrows what a partition is asked for. It is what a database can do
// quickly; the lines that come back are looked at again.
type Scope struct {
	Services []string // empty: all
	Level    string   // the least severe
	From, To time.Time
	// AnyOf are alternatives: each of them texts that a line contains, all of
	// them, in any case of ASCII letters.
	AnyOf [][]string
	// Expressions are matched by the text of a line, all of them. What AnyOf says
	// follows from them.
	Expressions []string
	// Oldest begins with the oldest line. Otherwise the newest comes first.
	Oldest bool
}

// Lease is the right to collect the logs of an environment.
type Lease interface {
	// Epoch is the number of this right. It stays the same where nobody else
	// had it in between.
	Epoch() int64
	// Lost is closed when the right may have gone to another.
	Lost() <-chan struct{}
	// Release gives it back.
	Release()
}

// Store keeps lines. logdb has it.
type Store interface {
	// Lead takes the right to collect, or returns ErrHeld. epoch is that of the
	// right that the caller had before, or 0.
	Lead(ctx context.Context, environment string, epoch int64) (Lease, error)
	// Cursors returns how far each container was read, and the highest ID.
	Cursors(ctx context.Context, environment string) (map[Container]follow.Cursor, int64, error)
	// Append stores a batch, or returns ErrDeposed.
	Append(ctx context.Context, b Batch) error
	// LastID returns the highest ID of an environment, 0 where there is none.
	LastID(ctx context.Context, environment string) (int64, error)
	// After returns at most limit lines with IDs after one, by ID.
	After(ctx context.Context, environment string, id int64, limit int) ([]*logline.Line, error)

	// Upkeep makes what was stored quick to search, and drops what is too old.
	Upkeep(ctx context.Context, environment string) error

	// Partitions returns those that may have lines in a scope.
	Partitions(ctx context.Context, environment string, s Scope) ([]Partition, error)
	// Candidates returns at most limit lines of a partition in a scope, in its
	// order, beyond a position where that is not nil. It returns where to go on, or
	// nil where there are no more.
	Candidates(ctx context.Context, environment string, p Partition, s Scope, beyond *Position, limit int) ([]*logline.Line, *Position, error)
	// Around returns at most n lines of the same container on each side of each
	// of the lines, by position.
	Around(ctx context.Context, environment string, lines []*logline.Line, n int) ([]Context, error)
	// Counts returns how many lines there are by level in each interval of a
	// scope, whatever the texts of the lines.
	Counts(ctx context.Context, environment string, s Scope, every time.Duration) ([]Count, error)
}

// Context are the lines around one.
type Context struct{ Before, After []*logline.Line }

// Count is how many lines of a level there are in the interval that begins At.
// The level is empty for lines without one.
type Count struct {
	At    time.Time
	Level string
	// Skipped tells that the lines are missing.
	Skipped bool
	Lines   int64
}
