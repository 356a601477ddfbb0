package watch

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/internal/testkit"
)

// mirror is what a consumer of batches believes of a tree: path → content.
type mirror map[string]string

// apply takes a batch as a consumer does: what is gone first, with all in it.
func (m mirror) apply(t *testing.T, root string, b Batch) {
	if b.Rescan {
		clear(m)
		maps.Copy(m, readTree(t, root))
		return
	}
	for _, c := range b.Changes {
		below, err := filepath.Rel(root, c.Path)
		if err != nil {
			t.Error(err)
		}
		maps.DeleteFunc(m, func(path, _ string) bool { return within(path, below) })
		if data, err := os.ReadFile(c.Path); c.Op == Write && err == nil { // gone since: another batch says so
			m[below] = string(data)
		}
	}
}

// readTree returns the files of a tree. One that goes while it is read is not
// among them.
func readTree(t *testing.T, root string) mirror {
	m := mirror{}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if data, err := os.ReadFile(path); err == nil {
			below, _ := filepath.Rel(root, path)
			m[below] = string(data)
		}
		return nil
	})
	return m
}

// TestAMirrorFollows changes a tree at random and at full speed, on the real
// kernel: after each burst, who only reads batches believes what is true.
func TestAMirrorFollows(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel() // what is late by the others is what finds faults
			followAtRandom(t, rand.New(rand.NewPCG(seed, 4)))
		})
	}
}

func followAtRandom(t *testing.T, r *rand.Rand) {
	root := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	w, err := New(ctx, Options{Roots: []string{root}})
	must(t, err)
	batches, ended := make(chan Batch), make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.Run(ctx, func(b Batch) {
			select {
			case batches <- b:
			case <-ctx.Done():
			}
		})
	}()
	defer func() { cancel(); <-ended }()

	m, rescans := mirror{}, 0
	for burst := range 100 {
		for range 1 + r.IntN(30) {
			step(r, root)
		}
		// The mirror may be right before the last batch is in, so the burst
		// ends with a mark.
		mark := fmt.Sprint("burst ", burst)
		testkit.WriteFile(t, filepath.Join(root, "mark"), mark)
		timeout := time.After(time.Minute)
		for want := readTree(t, root); !maps.Equal(m, want); {
			select {
			case b := <-batches:
				m.apply(t, root, b)
				if b.Rescan {
					rescans++
				}
			case <-timeout:
				t.Fatalf("%s: the mirror is wrong:\n%s", mark, diff(want, m))
			}
		}
	}
	if rescans > 50 {
		t.Errorf("%d of 100 bursts took a rescan", rescans)
	}
}

// step changes one thing. What cannot be done is left out.
func step(r *rand.Rand, root string) {
	path := func() string {
		names := []string{"a", "b", "c", "d"}
		parts := []string{root}
		for range 1 + r.IntN(3) {
			parts = append(parts, names[r.IntN(len(names))])
		}
		return filepath.Join(parts...)
	}
	text := fmt.Append(nil, r.IntN(1000))
	switch p := path(); r.IntN(12) {
	case 0:
		_ = os.RemoveAll(p)
	case 1, 2:
		_ = os.Rename(p, path())
	case 3:
		_ = os.MkdirAll(p, 0o755)
	case 4: // a folder that arrives with files in it
		temp := filepath.Join(root, "new.tmp~")
		_ = os.MkdirAll(filepath.Join(temp, "a"), 0o755)
		_ = os.WriteFile(filepath.Join(temp, "a", "b"), text, 0o644)
		if os.Rename(temp, p) != nil {
			_ = os.RemoveAll(temp)
		}
	case 5: // an atomic save
		_ = os.WriteFile(p+".tmp~", text, 0o644)
		if os.Rename(p+".tmp~", p) != nil {
			_ = os.Remove(p + ".tmp~")
		}
	case 6: // made anew
		_ = os.RemoveAll(p)
		_ = os.MkdirAll(p, 0o755)
		_ = os.WriteFile(filepath.Join(p, "a"), text, 0o644)
	default:
		_ = os.MkdirAll(filepath.Dir(p), 0o755)
		_ = os.WriteFile(p, text, 0o644)
	}
}

func diff(want, got mirror) string {
	var lines []string
	for path, text := range want {
		if have, ok := got[path]; !ok {
			lines = append(lines, fmt.Sprintf("%s is missed", path))
		} else if have != text {
			lines = append(lines, fmt.Sprintf("%s is taken for %q, and is %q", path, have, text))
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			lines = append(lines, fmt.Sprintf("%s is gone", path))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
