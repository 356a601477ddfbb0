// Command bench measures zr beside the bare tools, in one run, and prints
// medians, 95th percentiles and ratios. `make bench` runs all of it; names of
// parts as arguments run those only.
//
// The machines it runs on are shared and noisy, so what is compared is always
// measured in turns, and a ratio means more than a time.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

var parts = []struct {
	name  string
	about string
	run   func(*bench)
}{
	{"up", "cluster from images in the store; a second up; one line changed", benchUp},
	{"rebuild", "go build of the api after one changed string, and the size of its image", benchRebuild},
	{"dev", "a save of a file, and of a Go program", benchDev},
	{"node", "a save of a plain Node.js service, until the new code answers", benchPlainNode},
	{"frontend", "a save of a component, until the browser shows it", benchFrontend},
	{"dashboard", "the overview and a line of a log, until a browser has painted them", benchDashboard},
	{"ports", "an answer through a relayed port, and through one that kind mapped", benchPorts},
	{"slow", "one changed line of the api over a line of 50 and 150 ms and 10 Mbit/s, beside a push of the whole image", benchSlow},
	{"api", "logs: a line until it is shown, 20,000 a second, searches; changes of services; what the API server is asked", benchBackend},
	{"watch", "a tree of 100,000 files: ready, idle CPU, memory", benchWatch},
}

func main() {
	fmt.Printf("zr bench: %s, %d cores, %s\n", runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), time.Now().Format(time.DateOnly))
	b := &bench{}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer b.cleanup()
		for _, p := range parts {
			if len(os.Args) > 1 && !contains(os.Args[1:], p.name) {
				continue
			}
			fmt.Printf("\n%s: %s\n", p.name, p.about)
			b.part(p.run)
		}
	}()
	select {
	case <-done:
	case <-interrupted:
		b.cleanup()
		os.Exit(130)
	}
	if b.failed {
		os.Exit(1)
	}
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
