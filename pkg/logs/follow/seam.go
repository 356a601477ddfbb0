package follow

import (
	"encoding/binary"
	"hash/fnv"
	"io"
	"time"
)

// seam remembers which lines of a container were passed on, so that reading
// can go on after a break without losing or repeating one. The API can only
// be asked for lines since a whole second, so what lies in that second comes
// twice; a line is known by its time and its text.
type seam struct {
	// floor is the time up to which lines are not wanted at all.
	floor time.Time
	last  time.Time // the newest time passed on
	// known are the lines since last-overlap, in the order in which they came.
	known []mark
	index map[uint64]struct{}
}

type mark struct {
	at  time.Time
	sum uint64
}

// overlap is how far two streams of a container (stdout and stderr) may be
// out of order in its log, amply: they are written by two goroutines of the
// container runtime.
const overlap = 100 * time.Millisecond

// maxKnown bounds the memory of a seam to about 2 MiB. A container that
// writes more lines than this within the seam may see the oldest repeated.
const maxKnown = 1 << 16

func newSeam() *seam {
	return &seam{index: map[uint64]struct{}{}}
}

// since is the time to ask the API for, zero for all.
func (s *seam) since() time.Time {
	at := s.floor
	if !s.last.IsZero() && s.last.Add(-overlap).After(at) {
		at = s.last.Add(-overlap)
	}
	return at.Truncate(time.Second)
}

// pass tells whether a line is new, and remembers it. sum stands for its time
// and its text, in this process and in later ones.
func (s *seam) pass(at time.Time, text string) (sum uint64, isNew bool) {
	if at.Before(s.since()) || !s.floor.IsZero() && !at.After(s.floor) {
		return 0, false
	}
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(at.UnixNano()))
	h.Write(b[:])
	_, _ = io.WriteString(h, text) // a hash takes everything
	sum = h.Sum64()
	if _, known := s.index[sum]; known {
		return sum, false
	}
	if at.After(s.last) {
		s.last = at
	}
	s.known = append(s.known, mark{at, sum})
	s.index[sum] = struct{}{}
	s.forget()
	return sum, true
}

// forget drops the lines that the API is not asked for any more.
func (s *seam) forget() {
	from, n := s.since(), 0
	for n < len(s.known) && (s.known[n].at.Before(from) || len(s.known)-n > maxKnown) {
		delete(s.index, s.known[n].sum)
		n++
	}
	if n == len(s.known) {
		s.known = s.known[:0]
		return
	}
	s.known = s.known[n:]
}
