// Package lab runs zr as its users do, on copies of projects whose clusters and
// ports are their own. The end-to-end tests and the bench share it.
package lab

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// TB is the part of a test, or of a bench, that the lab needs.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
	TempDir() string
}

// Repository returns the root of this repository.
func Repository(t TB) string {
	t.Helper()
	return strings.TrimSpace(Output(t, "", "git", "rev-parse", "--show-toplevel"))
}

// Project is a copy of a project whose cluster and ports are the test's own.
type Project struct {
	T    TB
	Dir  string
	Name string
	Env  []string
	// Within is a command that zr is run by, such as `ip netns exec`.
	Within []string
	// Bin is the folder of the zr that is run. Default: bin of the repository.
	Bin string
	// Node is the container of the control plane. Default: that of the
	// environment "dev".
	Node string
}

// Copy copies a folder of the repository, as git sees it, into a new one.
func Copy(t TB, from string) string {
	t.Helper()
	repository, dir := Repository(t), t.TempDir()
	files := Output(t, filepath.Join(repository, from), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for _, file := range strings.Split(strings.TrimRight(files, "\x00"), "\x00") {
		if from == "." && strings.HasPrefix(file, "examples/") {
			continue
		}
		copyFile(t, filepath.Join(repository, from, file), filepath.Join(dir, file))
	}
	return dir
}

// Released returns a folder as a release has it: zr, the agent, and the images of the
// dashboard beside them, without sources.
func Released(t TB) string {
	t.Helper()
	repository, dir := Repository(t), t.TempDir()
	for _, program := range []string{"zr", "zr-agent"} {
		copyFile(t, filepath.Join(repository, "bin", program), filepath.Join(dir, program))
	}
	Output(t, repository, "go", "run", "./hack/dashboardimages", "linux/"+runtime.GOARCH, filepath.Join(dir, "dashboard"))
	return dir
}

// NewProject copies the folder from (relative to the repository) as git sees
// it, renames it, and moves its services to the given host ports. The cluster
// is deleted when the test ends.
func NewProject(t TB, from, name string, ports map[string]int) *Project {
	t.Helper()
	p := &Project{T: t, Dir: Copy(t, from), Name: name}
	config := p.Read("config/dev.yaml")
	config = regexp.MustCompile(`(?m)^project: .*$`).ReplaceAllString(config, "project: "+name)
	config += "cluster:\n  ports:\n"
	for service, port := range ports {
		config += fmt.Sprintf("    %s: %d\n", service, port)
	}
	p.Write("config/dev.yaml", config)
	t.Cleanup(func() {
		p.Write("config/dev.yaml", config) // a test may have left it broken
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if out, err := p.Command(ctx, "down", "--purge", "--yes").CombinedOutput(); err != nil {
			t.Errorf("deleting the test's cluster: %v\n%s", err, out)
		}
	})
	return p
}

func (p *Project) Path(name string) string { return filepath.Join(p.Dir, name) }

func (p *Project) Read(name string) string {
	p.T.Helper()
	data, err := os.ReadFile(p.Path(name))
	if err != nil {
		p.T.Fatal(err)
	}
	return string(data)
}

// Write saves a file as editors do: whole, or not at all.
func (p *Project) Write(name, text string) {
	p.T.Helper()
	path := p.Path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.T.Fatal(err)
	}
	temp := path + "~"
	if err := os.WriteFile(temp, []byte(text), 0o644); err != nil {
		p.T.Fatal(err)
	}
	if err := os.Rename(temp, path); err != nil {
		p.T.Fatal(err)
	}
}

// Replace edits a file; the old text must be there.
func (p *Project) Replace(name, old, new string) {
	p.T.Helper()
	text := p.Read(name)
	if !strings.Contains(text, old) {
		p.T.Fatalf("%s does not contain %q", name, old)
	}
	p.Write(name, strings.Replace(text, old, new, 1))
}

// Command is zr on this project.
func (p *Project) Command(ctx context.Context, args ...string) *exec.Cmd {
	bin := p.Bin
	if bin == "" {
		bin = filepath.Join(Repository(p.T), "bin")
	}
	line := append(slices.Clone(p.Within), filepath.Join(bin, "zr"), "-C", p.Dir)
	c := exec.CommandContext(ctx, line[0], append(line[1:], args...)...)
	c.Env = append(append(os.Environ(), "ZR_ENGINE="+EngineName()), p.Env...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = time.Minute
	return c
}

// Result is what a run of zr left behind.
type Result struct {
	Code           int
	Stdout, Stderr string
	Events         []Event
}

// Event is one line of the JSON output.
type Event map[string]any

func (e Event) Text(key string) string { s, _ := e[key].(string); return s }

// ZR runs a verb to its end. With "-o json" among args, events are parsed.
func (p *Project) ZR(args ...string) Result {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	c := p.Command(ctx, args...)
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.T.Fatalf("running zr %s: %v", strings.Join(args, " "), err)
	}
	r := Result{Code: c.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
	for line := range strings.Lines(r.Stdout) {
		var e Event
		if json.Unmarshal([]byte(line), &e) == nil && e.Text("type") != "" {
			r.Events = append(r.Events, e)
		}
	}
	return r
}

// Must runs a verb that has to succeed.
func (p *Project) Must(args ...string) Result {
	p.T.Helper()
	r := p.ZR(args...)
	if r.Code != 0 {
		p.T.Fatalf("zr %s: exit code %d\n%s\n%s", strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r
}

// Fails runs a verb that has to end with an exit code and to say words.
func (p *Project) Fails(code int, words []string, args ...string) Result {
	p.T.Helper()
	r := p.ZR(args...)
	if r.Code != code {
		p.T.Errorf("zr %s: exit code %d, want %d\n%s\n%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	for _, w := range words {
		if !strings.Contains(r.Stderr, w) {
			p.T.Errorf("zr %s does not say %q:\n%s", strings.Join(args, " "), w, r.Stderr)
		}
	}
	return r
}

// Running is a zr that runs beside the test.
type Running struct {
	t       TB
	process *exec.Cmd
	ended   chan struct{}

	mu     sync.Mutex
	events []Event
	raw    strings.Builder
	news   chan struct{}
}

// Start runs a verb with JSON output beside the test. It is interrupted, and
// waited for, when the test ends.
func (p *Project) Start(args ...string) *Running {
	p.T.Helper()
	r := &Running{t: p.T, ended: make(chan struct{}), news: make(chan struct{}, 1)}
	r.process = p.Command(context.Background(), append(args, "-o", "json")...)
	out, err := r.process.StdoutPipe()
	if err != nil {
		p.T.Fatal(err)
	}
	r.process.Stderr = &lockedWriter{r}
	if err := r.process.Start(); err != nil {
		p.T.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var e Event
			_ = json.Unmarshal(lines.Bytes(), &e)
			r.mu.Lock()
			r.events = append(r.events, e)
			if e.Text("type") != "log" {
				fmt.Fprintf(&r.raw, "%s\n", lines.Bytes())
			}
			r.mu.Unlock()
			select {
			case r.news <- struct{}{}:
			default:
			}
		}
		_ = r.process.Wait()
	}()
	p.T.Cleanup(func() { r.Interrupt() })
	return r
}

type lockedWriter struct{ r *Running }

func (w *lockedWriter) Write(b []byte) (int, error) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	return w.r.raw.Write(b)
}

// Printed is what zr has written so far.
func (r *Running) Printed() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.raw.String()
}

// Mark is a position in the stream of events.
func (r *Running) Mark() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.events)
}

// Count returns how many events from mark on fit.
func (r *Running) Count(mark int, fits func(Event) bool) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events[mark:] {
		if fits(e) {
			n++
		}
	}
	return n
}

// Wait returns the first event from mark on that fits.
func (r *Running) Wait(mark int, what string, fits func(Event) bool) Event {
	r.t.Helper()
	e, _, err := r.Next(mark, 4*time.Minute, fits)
	if err != nil {
		r.t.Fatalf("waiting for %s: %v:\n%s", what, err, r.Printed())
	}
	return e
}

// Next returns the first event from mark on that fits, and the mark after it.
// It fails when zr ends, or after timeout.
func (r *Running) Next(mark int, timeout time.Duration, fits func(Event) bool) (Event, int, error) {
	expired := time.After(timeout)
	for {
		r.mu.Lock()
		for ; mark < len(r.events); mark++ {
			if fits(r.events[mark]) {
				e := r.events[mark]
				r.mu.Unlock()
				return e, mark + 1, nil
			}
		}
		r.mu.Unlock()
		select {
		case <-r.news:
		case <-r.ended:
			if r.Mark() > mark {
				continue
			}
			return nil, mark, errors.New("zr has ended")
		case <-expired:
			return nil, mark, fmt.Errorf("it did not come within %s", timeout)
		}
	}
}

// Interrupt sends Ctrl-C and returns the exit code.
func (r *Running) Interrupt() int { return r.Signal(os.Interrupt) }

// Signal sends a signal that ends zr and returns the exit code.
func (r *Running) Signal(s os.Signal) int {
	_ = r.process.Process.Signal(s)
	return r.join()
}

// End waits until zr ends by itself and returns the exit code.
func (r *Running) End() int { return r.join() }

// PID is the process of the verb.
func (r *Running) PID() int { return r.process.Process.Pid }

// Kill ends the verb without a word.
func (r *Running) Kill() { _ = r.process.Process.Signal(syscall.SIGKILL); r.join() }

func (r *Running) join() int {
	select {
	case <-r.ended:
	case <-time.After(2 * time.Minute):
		r.t.Errorf("zr does not end:\n%s", r.Printed())
		_ = r.process.Process.Kill()
		<-r.ended
	}
	return r.process.ProcessState.ExitCode()
}

func (p *Project) node() string { return cmp.Or(p.Node, p.Name+"-dev-control-plane") }

// InNode runs a program inside the control plane's container.
func (p *Project) InNode(name string, args ...string) string {
	p.T.Helper()
	return Output(p.T, "", EngineName(), append([]string{"exec", p.node(), name}, args...)...)
}

// Kubectl runs kubectl inside the control plane's container, so that the tests
// need none of their own.
func (p *Project) Kubectl(args ...string) string {
	p.T.Helper()
	return p.InNode("kubectl", append([]string{"--kubeconfig=/etc/kubernetes/admin.conf"}, args...)...)
}

// TryKubectl is Kubectl where a failure is an answer too. The output has what
// was said of it.
func (p *Project) TryKubectl(args ...string) (string, error) {
	c := exec.Command(EngineName(), append([]string{"exec", p.node(), "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"}, args...)...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// KubectlInput is Kubectl with a standard input.
func (p *Project) KubectlInput(input string, args ...string) {
	p.T.Helper()
	c := exec.Command(EngineName(), append(p.kubectlInput(), args...)...)
	c.Stdin = strings.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil {
		p.T.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (p *Project) kubectlInput() []string {
	return []string{"exec", "-i", p.node(), "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"}
}

// Commands are the variables of the environment from which a program beside the test
// knows how to run kubectl and zr on this project: KUBECTL and ZR, words between spaces.
func (p *Project) Commands() []string {
	kubectl := append([]string{EngineName()}, p.kubectlInput()...)
	return []string{"KUBECTL=" + strings.Join(kubectl, " "), "ZR=" + strings.Join(p.Command(context.Background()).Args, " "), "ZR_ENGINE=" + EngineName()}
}

// Client makes a new connection for each request, as one that asks what is live
// has to: one that was kept leads to the pod before until that has ended.
func Client(timeout time.Duration) http.Client {
	return http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
}

// Get returns the body of a URL that must answer with status 200.
func Get(t TB, url string) string {
	t.Helper()
	client := Client(10 * time.Second)
	answer, err := client.Get(url)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v\n%s", url, answer.Status, err, body)
	}
	return string(body)
}

// Output runs a command that has to succeed and returns its standard output.
func Output(t TB, dir, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

func copyFile(t TB, from, to string) {
	t.Helper()
	info, err := os.Lstat(from)
	if errors.Is(err, os.ErrNotExist) {
		return // deleted, and not committed yet
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}

// Eventually waits until ok returns "" and fails with what it said last.
func Eventually(t TB, what string, ok func() string) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		last := ok()
		if last == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %s", what, last)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// EngineName is the container engine that holds the clusters.
func EngineName() string {
	if name := os.Getenv("ZR_ENGINE"); name != "" {
		return name
	}
	if _, err := exec.LookPath("podman"); err == nil {
		return "podman"
	}
	return "docker"
}
