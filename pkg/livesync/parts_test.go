package livesync

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zr/pkg/agentspec/wire"
)

func TestPace(t *testing.T) {
	for _, c := range []struct {
		rate float64
		want wire.Op
	}{
		{5e9, wire.OpRaw},  // faster than any compressor
		{150e6, wire.OpS2}, // a port-forward on this machine
		{5e6, wire.OpZstd}, // an office's uplink
	} {
		p := newPace(2)
		p.rate = c.rate
		if got := p.choose(ofBytes); got != c.want {
			t.Errorf("at %.0f bytes per second: %d, want %d", c.rate, got, c.want)
		}
	}
	p := newPace(2)
	now := time.Now()
	p.begin(0, now)
	for i := range 40 { // 10 MB per second
		p.arrived(uint64(i)*1e6, now.Add(time.Duration(i)*100*time.Millisecond))
	}
	if p.rate < 9e6 || p.rate > 12e6 {
		t.Errorf("measured %.0f bytes per second", p.rate)
	}
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	if op, b := p.pack(ofBytes, noise, nil); op != wire.OpRaw || &b[0] != &noise[0] {
		t.Errorf("noise was packed by %d", op)
	}
}

// Whatever changed, the pieces cover the file once, in whole leaves, and what
// is called the same is the same.
func TestCut(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 500 {
		was := make([]byte, r.IntN(60*wire.LeafSize))
		for i := range was {
			was[i] = byte(r.Uint32())
		}
		now := bytes.Clone(was)
		for range r.IntN(4) {
			if len(now) > 0 {
				now[r.IntN(len(now))]++
			}
		}
		switch r.IntN(3) {
		case 0:
			now = append(now, make([]byte, r.IntN(9000))...)
		case 1:
			now = now[:r.IntN(len(now)+1)]
		}
		f := outgoing{content: content{File: wire.File{Size: int64(len(now))}, leaves: wire.AppendLeaves(nil, now)}, was: wire.File{Size: int64(len(was))}}
		b := base{leaves: wire.AppendLeaves(nil, was)}
		if r.IntN(2) == 0 {
			b.content = was
		}
		at := int64(0)
		for _, p := range cut(0, f, b, nil) {
			if p.from != at || p.to <= p.from || p.from%wire.LeafSize != 0 || !p.same && p.to-p.from > wire.MaxChunk {
				t.Fatalf("piece %+v at %d", p, at)
			}
			if p.same && (p.to > int64(len(was)) || !bytes.Equal(now[p.from:p.to], was[p.from:p.to])) {
				t.Fatalf("piece %+v is not the same", p)
			}
			at = p.to
		}
		if at != int64(len(now)) {
			t.Fatalf("the pieces end at %d of %d", at, len(now))
		}
	}
}

func TestDiffer(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	old := make([]byte, 3<<20)
	for i := range old {
		old[i] = byte(r.Uint32())
	}
	for name, change := range map[string]func() []byte{
		"nothing":    func() []byte { return bytes.Clone(old) },
		"a function": func() []byte { return bytes.Join([][]byte{old[:100_001], make([]byte, 48), old[100_001:]}, nil) },
		"one less":   func() []byte { return bytes.Join([][]byte{old[:70_000], old[70_400:]}, nil) },
		"two places": func() []byte { return bytes.Join([][]byte{old[:1e5], []byte("x"), old[1e5:2e6], old[2e6+7:]}, nil) },
		"far away":   func() []byte { return bytes.Join([][]byte{old[:5000], make([]byte, 200_000), old[5000:]}, nil) },
		"all new": func() []byte {
			b := bytes.Clone(old)
			r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
			return b
		},
		"much shorter": func() []byte { return old[200_000:] },
	} {
		t.Run(name, func(t *testing.T) {
			now := change()
			d := differ{found: &distances{}}
			sent := 0
			for at := 0; at < len(now); at += wire.MaxChunk {
				want := now[at:min(at+wire.MaxChunk, len(now))]
				patch := d.patch(int64(at), want, old)
				if patch == nil {
					sent += len(want)
					continue
				}
				sent += len(patch)
				got := make([]byte, len(want))
				if err := wire.ApplyPatch(got, patch, bytes.NewReader(old), int64(at)); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Fatalf("the patch at %d gives something else", at)
				}
			}
			t.Logf("%d bytes for %d", sent, len(now))
			if name != "all new" && sent > len(now)/10 {
				t.Errorf("%d bytes for %d", sent, len(now))
			}
		})
	}
}

func TestProgramsAreKept(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	v := newPrograms()
	defer v.close()
	path := filepath.Join(t.TempDir(), "x")
	var sums []wire.Sum
	for i := range programsKept + 1 {
		if err := os.WriteFile(path, bytes.Repeat([]byte{byte(i)}, 5000), 0o755); err != nil {
			t.Fatal(err)
		}
		c, err := hash(path)
		if err != nil {
			t.Fatal(err)
		}
		v.keep(wire.Sum{9}, path) // not its sum
		v.keep(c.Sum, path)
		sums = append(sums, c.Sum)
	}
	for i, sum := range append(sums, wire.Sum{9}) {
		b, release := v.open(sum)
		kept := i > 0 && i <= programsKept
		if (b != nil) != kept || kept && (len(b) != 5000 || b[4999] != byte(i)) {
			t.Errorf("version %d: %d bytes", i, len(b))
		}
		release()
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("files with a name: %v", left)
	}
}

func TestLocals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	l := newLocals()
	// Writes within one tick of the file system's clock, of one length.
	for i := range 300 {
		want := []byte{byte(i), byte(i >> 8)}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := l.look(path)
		if err != nil || c.Sum != wire.SumOf(wire.AppendLeaves(nil, want)) {
			t.Fatalf("write %d was not seen (%v)", i, err)
		}
	}
	if _, err := l.look(t.TempDir()); err == nil {
		t.Error("a folder was taken for a file")
	}
}

// TestLeavesThatDoNotFitAFrame are not asked for: there is no connection here to ask.
func TestLeavesThatDoNotFitAFrame(t *testing.T) {
	s := &Client{leaves: map[wire.Sum][]wire.Sum{}, programs: newPrograms()}
	f := outgoing{path: "x", content: content{File: wire.File{Size: 2 << 30}}, was: wire.File{Size: wire.MaxAsked + 1, Sum: wire.Sum{1}}}
	bases, err := s.bases(t.Context(), nil, []outgoing{f})
	if err != nil || bases[0].leaves != nil || bases[0].content != nil {
		t.Errorf("bases %+v, %v", bases, err)
	}
}

// TestAFileThatGotShorter while it was hashed is looked at again.
func TestAFileThatGotShorter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, make([]byte, wire.LeafSize), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = unreadable("x", hashRange(f, make([]wire.Sum, 2), 0, 2*wire.LeafSize))
	if again := (retryError{}); !errors.As(err, &again) {
		t.Error(err)
	}
	if again := (retryError{}); errors.As(unreadable("x", os.ErrPermission), &again) {
		t.Error("what may not be read is looked at again")
	}
}
