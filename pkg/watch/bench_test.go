package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"zr/internal/testkit"
)

// BenchmarkReady measures how long a tree of 100,000 files in 6,250 folders
// takes until it is watched, and the heap that stays. A node_modules of the
// same size is beside it.
func BenchmarkReady(b *testing.B) {
	root := b.TempDir()
	testkit.WriteFile(b, filepath.Join(root, gitIgnore), "*.log\nbuild/\n/tmp\n!keep.log\n")
	text := []byte("x")
	for _, top := range []string{"src", "node_modules"} {
		for i := range 6250 {
			dir := filepath.Join(root, top, fmt.Sprint("p", i/250), fmt.Sprint("q", i/25), fmt.Sprint("r", i))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				b.Fatal(err)
			}
			for j := range 16 {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("file", j, ".go")), text, 0o644); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		w, err := New(b.Context(), Options{Roots: []string{root}})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-heap")
		b.ReportMetric(float64(len(w.tree.dirs)), "folders")
		if err := w.kernel.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
