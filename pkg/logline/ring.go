package logline

import "sort"

// sizeOf is about what a line holds in memory: its strings, and the structs and
// string headers around them.
func sizeOf(l *Line) int {
	const fixed, perField = 240, 48
	n := fixed + len(l.Message) + len(l.Styles)*perField
	for _, f := range l.Fields {
		n += perField + len(f.Key) + len(f.Value)
	}
	return n
}

// ring holds the last lines of one service in a budget of bytes. Lines have
// ordinals: first is that of the oldest one kept.
type ring struct {
	entries []*Line
	head    int // index of the oldest entry
	n       int
	first   uint64
	bytes   int
	dropped int64 // the id of the newest line that was dropped
}

func (r *ring) len() int { return r.n }

// at returns the i-th line, counted from the oldest.
func (r *ring) at(i int) *Line { return r.entries[(r.head+i)%len(r.entries)] }

// push adds a line and drops the oldest ones that exceed the budget. The
// newest line is kept even if it alone does.
func (r *ring) push(l *Line, budget int) {
	if r.n == len(r.entries) {
		grown := make([]*Line, max(64, 2*r.n))
		for i := range r.n {
			grown[i] = r.at(i)
		}
		r.entries, r.head = grown, 0
	}
	r.entries[(r.head+r.n)%len(r.entries)] = l
	r.n++
	r.bytes += sizeOf(l)
	for r.bytes > budget && r.n > 1 {
		oldest := r.at(0)
		r.bytes -= sizeOf(oldest)
		r.dropped = oldest.ID
		r.entries[r.head] = nil
		r.head = (r.head + 1) % len(r.entries)
		r.n--
		r.first++
	}
}

// after returns the ordinal of the first line with an id above one.
func (r *ring) after(id int64) uint64 {
	i := sort.Search(r.n, func(i int) bool { return r.at(i).ID > id })
	return r.first + uint64(i)
}
