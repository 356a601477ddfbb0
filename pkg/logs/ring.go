package logs

import (
	"sort"

	"zr/pkg/event"
)

// entry is a line with its place in the order of the whole hub.
type entry struct {
	seq  uint64
	line event.LogLine
}

// size is about what an entry holds in memory: its strings, and the structs
// and string headers around them (two times, a slot in the ring).
func (e entry) size() int {
	const fixed = 128
	return fixed + len(e.line.Text)
}

// ring holds the last lines of one service in a budget of bytes. Lines have
// ordinals: first is that of the oldest one kept.
type ring struct {
	entries []entry
	head    int // index of the oldest entry
	n       int
	first   uint64
	bytes   int
}

func (r *ring) len() int { return r.n }

// at returns the i-th entry, counted from the oldest.
func (r *ring) at(i int) *entry { return &r.entries[(r.head+i)%len(r.entries)] }

// push adds an entry and drops the oldest ones that exceed the budget. The
// newest line is kept even if it alone does.
func (r *ring) push(e entry, budget int) {
	if r.n == len(r.entries) {
		grown := make([]entry, max(64, 2*r.n))
		for i := range r.n {
			grown[i] = *r.at(i)
		}
		r.entries, r.head = grown, 0
	}
	r.n++
	*r.at(r.n - 1) = e
	r.bytes += e.size()
	for r.bytes > budget && r.n > 1 {
		r.bytes -= r.at(0).size()
		*r.at(0) = entry{}
		r.head = (r.head + 1) % len(r.entries)
		r.n--
		r.first++
	}
}

// ordinal returns that of the first line at or after a sequence number.
func (r *ring) ordinal(seq uint64) uint64 {
	i := sort.Search(r.n, func(i int) bool { return r.at(i).seq >= seq })
	return r.first + uint64(i)
}
