package follow

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// Cursor is how far the log of a container was read. It is made of the lines
// that were, and lasts as bytes. The zero Cursor is at the beginning. A copy stays
// where it is.
type Cursor struct {
	Run  int       // the run of the container that was read last
	Last time.Time // the newest time of a line
	// near are the lines within overlap of Last: others that belong between
	// them may still come.
	near []mark
}

// Add moves the cursor past a line. Lines come in the order in which Follow
// passed them on.
func (c *Cursor) Add(l Line) {
	c.Run = l.Run
	if l.Time.After(c.Last) {
		c.Last = l.Time
	}
	c.near = append(c.near, mark{l.Time, l.sum})
	n := 0
	for n < len(c.near) && (!c.near[n].at.After(c.Last.Add(-overlap)) || len(c.near)-n > maxKnown) {
		n++
	}
	c.near = c.near[n:]
}

// seam goes on where the cursor is.
func (c Cursor) seam() *seam {
	s := newSeam()
	s.last, s.floor = c.Last, c.Last.Add(-overlap)
	for _, m := range c.near {
		s.known = append(s.known, m)
		s.index[m.sum] = struct{}{}
	}
	return s
}

const (
	headBytes = 4 + 8 // run, newest time
	markBytes = 4 + 8 // nanoseconds before the newest time, sum
)

// Bytes returns the cursor as bytes.
func (c Cursor) Bytes() []byte {
	b := make([]byte, 0, headBytes+len(c.near)*markBytes)
	b = binary.LittleEndian.AppendUint32(b, uint32(c.Run))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Last.UnixNano()))
	for _, m := range c.near {
		before := c.Last.Sub(m.at) // less than overlap, which fits
		b = binary.LittleEndian.AppendUint32(b, uint32(min(before, math.MaxUint32)))
		b = binary.LittleEndian.AppendUint64(b, m.sum)
	}
	return b
}

// ParseCursor reads what Bytes wrote.
func ParseCursor(b []byte) (c Cursor, err error) {
	if len(b) < headBytes || (len(b)-headBytes)%markBytes != 0 {
		return c, errors.New("reading the cursor of a log: it has the wrong length")
	}
	c.Run = int(binary.LittleEndian.Uint32(b))
	c.Last = time.Unix(0, int64(binary.LittleEndian.Uint64(b[4:]))).UTC()
	for b = b[headBytes:]; len(b) > 0; b = b[markBytes:] {
		before := time.Duration(binary.LittleEndian.Uint32(b))
		c.near = append(c.near, mark{c.Last.Add(-before), binary.LittleEndian.Uint64(b[4:])})
	}
	return c, nil
}
