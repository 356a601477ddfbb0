package wire

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// rebuilt returns a program and what a rebuild makes of it: a run of bytes
// inserted, and words changed behind it.
func rebuilt(r *rand.Rand, size, insert, at int) (old, now []byte) {
	old = make([]byte, size)
	for i := range old {
		old[i] = byte(r.Uint32())
	}
	now = append(now, old[:at]...)
	now = append(now, make([]byte, insert)...)
	now = append(now, old[at:]...)
	for i := at + insert; i+4 < len(now); i += 20 + r.IntN(60) {
		binary.LittleEndian.PutUint32(now[i:], binary.LittleEndian.Uint32(now[i:])+uint32(insert))
	}
	return old, now[:size]
}

func TestPatch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		insert := r.IntN(500)
		old, now := rebuilt(r, 1+r.IntN(40_000), insert, 0)
		if insert > len(now) {
			continue
		}
		var p Patcher
		p.Reset()
		for i := 0; i < len(now); i += LeafSize {
			want := now[i:min(i+LeafSize, len(now))]
			have := make([]byte, len(want))
			if err := readShifted(have, bytes.NewReader(old), int64(i), -int64(insert)); err != nil {
				t.Fatal(err)
			}
			p.Add(-int64(insert), want, have)
		}
		patch := p.Append(nil)
		if len(patch) > p.Size() {
			t.Fatalf("Size() = %d, and it has %d", p.Size(), len(patch))
		}
		got := make([]byte, len(now))
		if err := ApplyPatch(got, patch, bytes.NewReader(old), 0); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, now) {
			t.Fatal("the patch gives something else")
		}
		if len(now) > 10_000 && len(patch) > len(now)/3 {
			t.Errorf("%d bytes of patch for %d", len(patch), len(now))
		}
	}
}

func FuzzApplyPatch(f *testing.F) {
	var p Patcher
	p.Add(-3, []byte("hello world"), []byte("hellO w0rld"))
	f.Add(p.Append(nil), int64(4096), 11)
	f.Add([]byte{3, 1, 0, 0}, int64(0), 1)
	base := bytes.NewReader(make([]byte, 100))
	f.Fuzz(func(t *testing.T, patch []byte, offset int64, size int) {
		if size < 0 || size > MaxChunk || offset < 0 {
			return
		}
		_ = ApplyPatch(make([]byte, size), patch, base, offset)
	})
}
