package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

// bench is the lab.TB of the bench: what fails ends the part that it is in,
// and what was made is cleaned up at the end of the part.
type bench struct {
	failed bool

	mu       sync.Mutex
	cleanups []func()
}

// part runs f in a goroutine of its own, which Fatal ends.
func (b *bench) part(f func(*bench)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer b.cleanup()
		f(b)
	}()
	<-done
}

// Helper does nothing.
func (b *bench) Helper() {}

// Errorf reports a failure and goes on.
func (b *bench) Errorf(format string, args ...any) {
	b.failed = true
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// Fatal reports a failure and ends the part.
func (b *bench) Fatal(args ...any) { b.Fatalf("%s", fmt.Sprint(args...)) }

// Fatalf reports a failure and ends the part.
func (b *bench) Fatalf(format string, args ...any) {
	b.Errorf(format, args...)
	runtime.Goexit()
}

// Cleanup keeps f for the end of the part.
func (b *bench) Cleanup(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cleanups = append(b.cleanups, f)
}

// TempDir returns a folder that is removed at the end of the part.
func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "zr-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (b *bench) cleanup() {
	for {
		b.mu.Lock()
		n := len(b.cleanups)
		if n == 0 {
			b.mu.Unlock()
			return
		}
		f := b.cleanups[n-1]
		b.cleanups = b.cleanups[:n-1]
		b.mu.Unlock()
		f()
	}
}

// must ends the part on an error.
func (b *bench) must(err error) {
	if err != nil {
		b.Fatal(err)
	}
}
