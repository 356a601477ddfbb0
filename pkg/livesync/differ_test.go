package livesync

import (
	"os"
	"testing"
	"time"

	"zr/internal/agent/wire"
)

func TestDifferOnFiles(t *testing.T) {
	a, b := os.Getenv("A"), os.Getenv("B")
	if a == "" {
		t.Skip()
	}
	old, _ := os.ReadFile(a)
	now, _ := os.ReadFile(b)
	for range 3 {
		var d differ
		p := newPace(1)
		begin := time.Now()
		patch, raw, s2n, zn, n := 0, 0, 0, 0, 0
		var packTime time.Duration
		for i := 0; i < len(now); i += wire.MaxChunk {
			want := now[i:min(i+wire.MaxChunk, len(now))]
			if q := d.patch(int64(i), want, old); q != nil {
				patch += len(q)
				n++
				tt := time.Now()
				p.rate = 20e6
				_, o := p.pack(q, nil)
				s2n += len(o)
				p.rate = 1e6
				_, o = p.pack(q, nil)
				zn += len(o)
				packTime += time.Since(tt)
			} else {
				raw += len(want)
			}
		}
		t.Log(time.Since(begin)-packTime, "patched chunks", n, "patch bytes", patch, "raw", raw, "far", d.far, "shifts", d.shifts, "s2", s2n, "zstd", zn)
	}
}
