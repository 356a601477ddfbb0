package livesync

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"

	"zr/pkg/agentspec/wire"
)

// differ makes patches of a rebuilt program: for every leaf it finds how far
// away the old program has the same bytes, and notes the few that differ.
// There is one per goroutine; those of one program share what they find.
type differ struct {
	found   *distances
	patcher wire.Patcher
	shifts  []int64 // that fitted, the latest first
	taken   int     // how many of found are, or were, among shifts
	far     int     // searches in the wide window so far
	skip    int     // leaves to go without a search
	misses  int     // searches in a row that found nothing
	out     []byte
}

// distances are those that some differ has found. The zero value is empty.
type distances struct {
	mu   sync.Mutex
	list []int64
}

func (d *distances) add(s int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, s)
}

// since returns what was found after the first n.
func (d *distances) since(n int) []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.list[n:len(d.list):len(d.list)]
}

// The search for the distance at which a leaf lies in the old program.
const (
	// maxShifts is how many distances are tried: a rebuild with one function
	// more gives about ten (text, its tables, their strings).
	maxShifts = 12
	// probes is how many words of a leaf are compared per distance.
	probes = 64
	// fits is how many of them are the same in a leaf that is in its place.
	fits = probes / 2
	// perfect ends the search.
	perfect = probes * 7 / 8
	// anchor is how many bytes are looked for, near the last distance and, at
	// most maxFar times, further away: a tenth of a millisecond each.
	anchor     = 16
	nearWindow = 8 << 10
	farWindow  = 256 << 10
	maxFar     = 32
	// maxSkip bounds how many leaves are not searched for after searches that
	// found nothing: in a table of addresses every word has changed, wherever
	// it went.
	maxSkip = 8
	// worthwhile: a patch of more than this share of the bytes is not sent.
	worthwhile = 2
)

// patch returns the patch that makes want, which lies at offset, from the old
// program, or nil where that saves too little.
func (d *differ) patch(offset int64, want, old []byte) []byte {
	if old == nil {
		return nil
	}
	d.patcher.Reset()
	from := 0 // of the run that is being gathered
	shift := int64(0)
	for i := 0; i < len(want); i += wire.LeafSize {
		leaf := want[i:min(i+wire.LeafSize, len(want))]
		s := d.find(offset+int64(i), leaf, old)
		if s != shift {
			d.add(offset, from, i, shift, want, old)
			from, shift = i, s
		}
	}
	d.add(offset, from, len(want), shift, want, old)
	if d.patcher.Size() > len(want)/worthwhile {
		return nil
	}
	d.out = d.patcher.Append(d.out[:0])
	return d.out
}

func (d *differ) add(offset int64, from, to int, shift int64, want, old []byte) {
	if from < to {
		at := offset + int64(from) + shift
		d.patcher.Add(shift, want[from:to], window(old, at, to-from))
	}
}

// window returns n bytes of old; those outside of it are zero.
func window(old []byte, at int64, n int) []byte {
	if at >= 0 && at+int64(n) <= int64(len(old)) {
		return old[at : at+int64(n)]
	}
	b := make([]byte, n)
	if at < 0 && -at < int64(n) {
		copy(b[-at:], old)
	} else if at >= 0 && at < int64(len(old)) {
		copy(b, old[at:])
	}
	return b
}

// find returns the distance of the best match for a leaf.
func (d *differ) find(at int64, leaf, old []byte) int64 {
	best, most := int64(0), d.score(at, 0, leaf, old)
	if most >= perfect {
		return 0
	}
	for i, s := range d.shifts {
		n := d.score(at, s, leaf, old)
		if n > most {
			best, most = s, n
		}
		if n >= perfect {
			d.use(i)
			return s
		}
	}
	if most >= fits {
		return best
	}
	for _, s := range d.found.since(d.taken) {
		d.taken++
		if n := d.score(at, s, leaf, old); n > most {
			best, most = s, n
		}
		d.learn(s)
	}
	if most >= fits {
		return best
	}
	if d.skip > 0 {
		d.skip--
		return best
	}
	if s, ok := d.search(at, leaf, old); ok {
		d.misses = 0
		return s
	}
	d.misses++
	d.skip = min(d.misses*d.misses/2, maxSkip)
	return best
}

// use moves a distance to the front.
func (d *differ) use(i int) {
	s := d.shifts[i]
	copy(d.shifts[1:i+1], d.shifts[:i])
	d.shifts[0] = s
}

// learn puts a new distance to the front.
func (d *differ) learn(s int64) {
	if !slices.Contains(d.shifts, s) {
		d.shifts = slices.Insert(d.shifts, 0, s)
		d.shifts = d.shifts[:min(len(d.shifts), maxShifts)]
	}
}

// score says how many of the probed words are the same at a distance.
func (d *differ) score(at, shift int64, leaf, old []byte) int {
	from := at + shift
	if from < 0 || from+int64(len(leaf)) > int64(len(old)) {
		return 0
	}
	have := old[from : from+int64(len(leaf))]
	step, n := max(8, len(leaf)/probes), 0
	for i := 0; i+8 <= len(leaf); i += step {
		if binary.LittleEndian.Uint64(leaf[i:]) == binary.LittleEndian.Uint64(have[i:]) {
			n++
		}
	}
	return n * probes / max(1, len(leaf)/step)
}

// search looks for bytes of the leaf in the old program.
func (d *differ) search(at int64, leaf, old []byte) (int64, bool) {
	last := int64(0)
	if len(d.shifts) > 0 {
		last = d.shifts[0]
	}
	for _, radius := range []int64{nearWindow, farWindow} {
		for pos := len(leaf) / 8; pos+anchor <= len(leaf); pos += len(leaf) / 4 {
			needle := leaf[pos : pos+anchor]
			if bytes.Count(needle, needle[:1]) > anchor/2 {
				continue // padding is everywhere
			}
			if radius == farWindow {
				if d.far >= maxFar {
					break
				}
				d.far++
			}
			middle := at + int64(pos) + last
			from := min(max(middle-radius, 0), int64(len(old)))
			to := min(max(middle+radius, 0), int64(len(old)))
			i := bytes.Index(old[from:to], needle)
			if i < 0 {
				continue
			}
			s := from + int64(i) - at - int64(pos)
			if d.score(at, s, leaf, old) >= fits {
				d.learn(s)
				d.found.add(s)
				return s, true
			}
		}
	}
	return 0, false
}
