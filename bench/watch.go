package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"zr/pkg/watch"
)

// benchWatch watches a tree of 100,000 files in this process.
func benchWatch(b *bench) {
	root := b.TempDir()
	const dirs, files = 1000, 100
	for d := range dirs {
		dir := filepath.Join(root, fmt.Sprint("d", d%30), fmt.Sprint("d", d))
		b.must(os.MkdirAll(dir, 0o755))
		for f := range files {
			b.must(os.WriteFile(filepath.Join(dir, fmt.Sprint(f)), nil, 0o644))
		}
	}
	var ready sample
	for range 5 {
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		w, err := watch.New(ctx, watch.Options{Roots: []string{root}})
		b.must(err)
		ready.add(time.Since(start))
		ended := make(chan struct{})
		go func() { defer close(ended); _ = w.Run(ctx, func(watch.Batch) {}) }()
		if len(ready) == 5 {
			before := cpu(b)
			const idle = 10 * time.Second
			time.Sleep(idle)
			fmt.Printf("  %-58s %.2f %% of a core\n", "idle", 100*float64(cpu(b)-before)/float64(idle))
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			fmt.Printf("  %-58s %.1f MB\n", "memory of the watcher", float64(m.HeapInuse+m.StackInuse)/1e6)
		}
		cancel()
		<-ended
	}
	row("100,000 files: ready to watch", ready)
}

// cpu is what this process has used so far.
func cpu(b *bench) time.Duration {
	var u syscall.Rusage
	b.must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
