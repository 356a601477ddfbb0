package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A patch gives bytes as the difference to bytes of the base that may lie at another
// offset. It is made for rebuilt programs. A function that grew moves what follows it,
// so that hardly a block is where it was. Every moved instruction that refers to
// something unmoved differs in a few bytes of its operand. Taken at the right offset,
// nineteen bytes of twenty are equal.
//
// Its form: the length of the control part, the control part, the data part. The
// control part is a sequence of runs. Each says how many bytes it stands for, how far
// away they lie in the base (signed), and how many differences there are. Each
// difference says how many equal bytes precede it and how many bytes it has. The data
// part holds those bytes, less the base's. All numbers are varints. Bytes before the
// beginning and after the end of the base are zero.

// mergeGap is how many equal bytes between two differences are cheaper to send
// than a second difference.
const mergeGap = 2

// Patcher builds the patch of one chunk.
type Patcher struct{ control, data, diffs []byte }

// Reset begins a new patch.
func (p *Patcher) Reset() { p.control, p.data = p.control[:0], p.data[:0] }

// Add appends a run: want is what the file holds there, have what the base
// holds at the shifted place, of the same length.
func (p *Patcher) Add(shift int64, want, have []byte) {
	diffs, n := p.diffs[:0], 0
	last := 0 // end of the difference before
	for i := 0; i < len(want); {
		i += matching(want[i:], have[i:])
		if i == len(want) {
			break
		}
		from := i
		// A difference ends where more than mergeGap bytes are equal.
		for equal := 0; i < len(want) && equal <= mergeGap; i++ {
			if want[i] == have[i] {
				equal++
			} else {
				equal = 0
			}
		}
		to := i
		for want[to-1] == have[to-1] {
			to--
		}
		diffs = binary.AppendUvarint(diffs, uint64(from-last))
		diffs = binary.AppendUvarint(diffs, uint64(to-from))
		for j := from; j < to; j++ {
			p.data = append(p.data, want[j]-have[j])
		}
		last, i = to, to
		n++
	}
	p.control = binary.AppendUvarint(p.control, uint64(len(want)))
	p.control = binary.AppendVarint(p.control, shift)
	p.control = binary.AppendUvarint(p.control, uint64(n))
	p.control = append(p.control, diffs...)
	p.diffs = diffs
}

// matching returns how many leading bytes are equal.
func matching(a, b []byte) int {
	i := 0
	for ; i+8 <= len(a); i += 8 {
		if binary.LittleEndian.Uint64(a[i:]) != binary.LittleEndian.Uint64(b[i:]) {
			break
		}
	}
	for ; i < len(a) && a[i] == b[i]; i++ {
	}
	return i
}

// Size returns the length of the patch so far.
func (p *Patcher) Size() int { return binary.MaxVarintLen32 + len(p.control) + len(p.data) }

// Append appends the patch to b.
func (p *Patcher) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(p.control)))
	b = append(b, p.control...)
	return append(b, p.data...)
}

var errPatch = errors.New("a patch that makes no sense")

// ApplyPatch fills dst, which lies at offset in the file, from a patch and its
// base. It never reads or writes out of bounds, whatever the patch holds.
func ApplyPatch(dst, patch []byte, base io.ReaderAt, offset int64) error {
	r := patchReader{b: patch}
	size := r.uvarint()
	if r.bad || size > uint64(len(r.b)) {
		return errPatch
	}
	data := r.b[size:]
	r.b = r.b[:size]
	for len(r.b) > 0 {
		n, shift, diffs := r.uvarint(), r.varint(), r.uvarint()
		if r.bad || n > uint64(len(dst)) {
			return errPatch
		}
		run := dst[:n]
		if err := readShifted(run, base, offset, shift); err != nil {
			return err
		}
		at := uint64(0)
		for range diffs {
			gap, count := r.uvarint(), r.uvarint()
			if r.bad || gap > n-at || count > n-at-gap || count > uint64(len(data)) {
				return errPatch
			}
			at += gap
			for i, d := range data[:count] {
				run[at+uint64(i)] += d
			}
			at += count
			data = data[count:]
		}
		dst = dst[n:]
		offset += int64(n)
	}
	if len(dst) > 0 || len(data) > 0 {
		return errPatch
	}
	return nil
}

func readShifted(dst []byte, base io.ReaderAt, offset, shift int64) error {
	from := offset + shift
	if (shift > 0) != (from > offset) && shift != 0 {
		return errPatch // overflow
	}
	if from < 0 {
		n := min(uint64(-from), uint64(len(dst)))
		clear(dst[:n])
		dst, from = dst[n:], 0
	}
	n, err := base.ReadAt(dst, from)
	if err == io.EOF {
		clear(dst[n:])
		err = nil
	}
	if err != nil {
		return fmt.Errorf("reading the base: %w", err)
	}
	return nil
}

type patchReader struct {
	b   []byte
	bad bool
}

func (r *patchReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *patchReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}
