package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"zr/internal/lab"
)

// runs is how often each save is measured.
const runs = 30

// devRun is a `zr dev` on a copy of this repository's stack, for all parts
// that need one.
type devRun struct {
	project *lab.Project
	dev     *lab.Running
}

const (
	benchAPI  = "http://localhost:14011"
	benchPage = "http://localhost:14010"
)

func newDevRun(b *bench) devRun {
	p := lab.NewProject(b, ".", "zrtest-bench-dev", map[string]int{"frontend": 14010, "api": 14011})
	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", func(e lab.Event) bool { return e.Text("type") == "ready" })
	return devRun{p, dev}
}

// benchDev measures what a save of each kind costs, beside the bare tool.
func benchDev(b *bench) {
	s := newDevRun(b)
	benchSync(b, s)
	bareDir := lab.Copy(b, ".")
	benchReload(b, s, bareDir, "the api", runs)
	for _, dir := range []string{bareDir, s.project.Dir} {
		b.must(os.WriteFile(filepath.Join(dir, "internal/api/heavy.go"), []byte(heavy), 0o644))
	}
	benchReload(b, s, bareDir, "the api with zr itself in it", runs/3)
}

// heavy makes the api a program of three times its size: all of zr, with what it
// knows of Kubernetes.
const heavy = `package api

import "zr/internal/cli"

func init() { heavy = cli.Main }

var heavy any
`

// benchFrontend does the same for what a browser shows.
func benchFrontend(b *bench) { frontendLoop(b, newDevRun(b)) }

// benchSync saves a file of the dashboard that no page imports, and asks in the
// container until it is there.
func benchSync(b *bench, s devRun) {
	pod := strings.TrimSpace(s.project.Kubectl("get", "pods", "-n", "zr-dev", "-l", "app.kubernetes.io/name=frontend", "-o", "jsonpath={.items[0].metadata.uid}"))
	node := s.project.Name + "-dev-control-plane"
	root := strings.TrimSpace(lab.Output(b, "", lab.EngineName(), "exec", node, "sh", "-c",
		"ls -d /var/lib/kubelet/pods/"+pod+"/volumes/kubernetes.io~empty-dir/zr-dev/files"))
	pid := strings.TrimSpace(lab.Output(b, "", lab.EngineName(), "inspect", "--format", "{{.State.Pid}}", node))
	file := filepath.Join("/proc", pid, "root", root, "lib", "bench.ts") // the container's own file, seen from here
	var times sample
	for i := range 2 + 2*runs {
		text := fmt.Sprintf("export const bench = %d;\n", i)
		start := time.Now()
		s.project.Write("frontend/lib/bench.ts", text)
		until(b, "the file in the container", func() bool {
			got, err := os.ReadFile(file)
			return err == nil && string(got) == text
		})
		if i >= 2 {
			times.add(time.Since(start))
		}
		time.Sleep(100 * time.Millisecond) // a save, not a burst
	}
	b.must(os.Remove(s.project.Path("frontend/lib/bench.ts")))
	row("save → the file in the container", times)
}

// benchReload saves a Go file of the api and waits until /health answers with
// the build of that save; in turns with the bare compiler. The api is asked
// all the time in both, since that takes of the processors too.
func benchReload(b *bench, s devRun, bareDir, what string, runs int) {
	out := filepath.Join(b.TempDir(), "zr-api")
	var ours, bare, gaps sample
	for i := range 2 + runs {
		edit(b, filepath.Join(bareDir, leaf), i)
		asking := ask()
		bareTook := timed(func() { bareBuild(b, bareDir, out) })
		asking.stop()
		before := healthBuild()
		asking = ask()
		start := time.Now()
		edit(b, s.project.Path(leaf), i)
		until(b, "the new build", func() bool {
			build := asking.build()
			return build != "" && build != before
		})
		took := time.Since(start)
		if gap := asking.stop(); i >= 2 {
			bare.add(bareTook)
			ours.add(took)
			gaps.add(gap)
		}
	}
	info, err := os.Stat(out)
	b.must(err)
	fmt.Printf("  %s, %.1f MB\n", what, float64(info.Size())/1e6)
	row("bare: go build", bare)
	row("save of a Go file → /health with its build", ours)
	against("zr over the bare compiler", ours, bare)
	row("longest time without an answer during a reload", gaps)
}

// asker asks the api for its health until it is stopped.
type asker struct {
	last  atomic.Pointer[string] // the build in the last answer
	ended chan struct{}
	gap   chan time.Duration
}

// askEvery is how often: a shorter time would tell a gap more exactly, and take
// more from the compiler that is measured at the same time.
const askEvery = 5 * time.Millisecond

func ask() *asker {
	a := &asker{ended: make(chan struct{}), gap: make(chan time.Duration, 1)}
	go func() { a.gap <- a.run() }()
	return a
}

// run returns the longest stretch in which the api did not answer.
func (a *asker) run() time.Duration {
	var longest time.Duration
	last := time.Now()
	for {
		if build := healthBuild(); build != "" {
			a.last.Store(&build)
			longest = max(longest, time.Since(last))
			last = time.Now()
		}
		select {
		case <-a.ended:
			return longest
		case <-time.After(askEvery):
		}
	}
}

// build is what the api reported last, "" before the first answer.
func (a *asker) build() string {
	if build := a.last.Load(); build != nil {
		return *build
	}
	return ""
}

func (a *asker) stop() time.Duration {
	close(a.ended)
	return <-a.gap
}

var client = http.Client{Timeout: 2 * time.Second}

// healthBuild is the build that the api reports, or "" where it does not answer.
func healthBuild() string {
	answer, err := client.Get(benchAPI + "/health")
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	var health struct{ Build string }
	_ = json.NewDecoder(answer.Body).Decode(&health)
	return health.Build
}

func until(b *bench, what string, ok func() bool) {
	deadline := time.Now().Add(2 * time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			b.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// frontendLoop compares the dashboard under `zr dev` with the same app under
// `next dev` on this machine, in turns, in one browser.
func frontendLoop(b *bench, s devRun) {
	host := filepath.Join(lab.Copy(b, "."), "frontend")
	install := exec.Command(filepath.Join(lab.Repository(b), "hack", "npm-install"), host)
	if text, err := install.CombinedOutput(); err != nil {
		b.Fatalf("npm: %v\n%s", err, text)
	}
	next := exec.Command(filepath.Join(host, "node_modules", ".bin", "next"), "dev", "--port", "14012")
	next.Dir = host
	next.Env = append(os.Environ(), "API_URL="+benchAPI, "NEXT_TELEMETRY_DISABLED=1")
	b.must(next.Start())
	b.Cleanup(func() {
		_ = next.Process.Signal(os.Interrupt)
		_ = next.Wait()
	})
	until(b, "next dev on the host", func() bool {
		answer, err := client.Get("http://localhost:14012/health")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	loop := exec.Command("node", "e2e/reload-bench.mjs",
		"--target", "host=http://localhost:14012,"+host, "--target", "pod="+benchPage+","+s.project.Path("frontend"),
		"--edits", fmt.Sprint(edits()), "--warmup", "3")
	loop.Dir = filepath.Join(lab.Repository(b), "frontend")
	loop.Stderr = os.Stderr
	text, err := loop.Output()
	b.must(err)
	var report struct {
		Targets map[string]map[string]json.RawMessage
	}
	b.must(json.Unmarshal(text, &report))
	type result struct{ Median, Missed, StateLost float64 }
	of := func(target, kind string) (r result) {
		b.must(json.Unmarshal(report.Targets[target][kind], &r))
		return r
	}
	for _, kind := range []string{"client", "server", "css"} {
		h, p := of("host", kind), of("pod", kind)
		fmt.Printf("  %-58s host %.0f ms  pod %.0f ms  %.2f × the bare tool  missed %.0f  state lost %.0f\n",
			"save of a "+kind+" file → the text in the browser", h.Median, p.Median, p.Median/h.Median, p.Missed, p.StateLost)
	}
}

// edits is how many saves of each kind the browser is shown; three kinds make
// more than five hundred with ZR_BENCH_EDITS=170.
func edits() int {
	n := runs
	_, _ = fmt.Sscan(os.Getenv("ZR_BENCH_EDITS"), &n)
	return n
}
