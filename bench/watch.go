package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zr/internal/lab"
	"zr/pkg/watch"
)

// benchWatch puts 100,000 files beside the services of a small project, times
// how long their watcher takes to be ready, and looks at a whole `zr dev`
// that has nothing to do.
func benchWatch(b *bench) {
	p := lab.NewProject(b, "examples/hello", "zrtest-bench-watch", map[string]int{"greeter": 14020, "web": 14021})
	const dirs, files = 1000, 100
	for d := range dirs {
		dir := p.Path(filepath.Join("assets", fmt.Sprint("d", d%30), fmt.Sprint("d", d)))
		b.must(os.MkdirAll(dir, 0o755))
		for f := range files {
			b.must(os.WriteFile(filepath.Join(dir, fmt.Sprint(f)), nil, 0o644))
		}
	}
	row("100,000 files: ready to watch", readyTimes(b, p.Dir))
	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", func(e lab.Event) bool { return e.Text("type") == "ready" })
	const pause, idle = 20 * time.Second, time.Minute
	time.Sleep(pause)
	before := cpu(b, dev.PID())
	time.Sleep(idle)
	fmt.Printf("  %-58s %.2f %% of a core\n", "zr dev, idle", 100*float64(cpu(b, dev.PID())-before)/float64(idle))
	fmt.Printf("  %-58s %.0f MB, at most %.0f MB\n", "zr dev, resident memory",
		memory(b, dev.PID(), "VmRSS:"), memory(b, dev.PID(), "VmHWM:"))
}

// readyTimes opens watchers of a tree, one after the other.
func readyTimes(b *bench, root string) sample {
	var ready sample
	for range 30 {
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		w, err := watch.New(ctx, watch.Options{Roots: []string{root}})
		b.must(err)
		ready.add(time.Since(start))
		cancel()
		b.must(ignoreCancelled(w.Run(ctx, func(watch.Batch) {})))
	}
	return ready
}

// ignoreCancelled drops the error of a watcher that was told to end.
func ignoreCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// cpu is what a process has used so far. Linux counts it in hundredths of a
// second (USER_HZ), user and system as the 14th and 15th field of its stat.
func cpu(b *bench, pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	b.must(err)
	_, after, _ := strings.Cut(string(text), ") ") // its name may hold blanks
	fields := strings.Fields(after)
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		b.must(err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory returns a line of a process's status, in megabytes.
func memory(b *bench, pid int, key string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	b.must(err)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == key {
			kb, err := strconv.Atoi(fields[1])
			b.must(err)
			return float64(kb) * 1024 / 1e6
		}
	}
	b.Fatalf("no %s in the status of process %d", key, pid)
	return 0
}
