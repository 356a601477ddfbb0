// Package agenttest runs the real agent, with real processes under it, for
// the tests of both sides of the connection.
package agenttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zr/internal/agent"
	"zr/internal/agent/folder"
	"zr/internal/testkit"
	"zr/pkg/agentspec"
	"zr/pkg/probe"
)

const asAgent = "ZR_TEST_AS_AGENT"

// Main is for the TestMain of a package that uses Start: it turns the test
// binary into the agent where Start has asked for that, race detector included.
func Main(m *testing.M) {
	if os.Getenv(asAgent) != "" {
		os.Unsetenv(asAgent)
		os.Exit(agent.Main())
	}
	code := m.Run()
	if dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

var (
	dir   string
	build = sync.OnceValues(func() ([]byte, error) {
		var err error
		if dir, err = os.MkdirTemp("", "zrtest-agent-"); err != nil {
			return nil, err
		}
		bin := filepath.Join(dir, "app")
		out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", bin, "zr/internal/agent/agenttest/app").CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		return os.ReadFile(bin)
	})
)

// Behaviour is how a version of the service behaves; see the command app.
type Behaviour map[string]any

// App writes a version of the service, padded to at least size bytes, and
// returns its path.
func App(t testing.TB, b Behaviour, size int) string {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	tail, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	content := append(bytes.Clone(binary), make([]byte, max(0, size-len(binary)))...)
	content = append(append(content, '\n'), tail...)
	path := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// Agent is a running agent with its service.
type Agent struct {
	Addr    string // of the agent
	Token   string
	AppPort int
	Ready   string // where the kubelet asks
	Volume  string
	Dir     string // of the files, in the volume
	Seed    string

	opts   Options
	cmd    *exec.Cmd
	out    *testkit.Buffer
	exited chan struct{}
}

// Options say what the agent runs.
type Options struct {
	// Seed holds the files of the image: path → local file.
	Seed    map[string]string
	Command []string // default: the file "app" in the folder
	Build   string
	// Probe is asked at the service's port where it names none of its own.
	// Default: /health, every 100 ms.
	Probe *probe.Probe
	// Args are the agent's own arguments.
	Args []string
	// InDir is the folder below Dir that the process runs in, Env adds to the
	// agent's environment.
	InDir string
	Env   []string
	// AsPID1 runs the agent in a process namespace of its own; the test is
	// skipped where that is not allowed.
	AsPID1 bool
}

// Start starts an agent and has it ended with the test.
func Start(t testing.TB, o Options) *Agent {
	t.Helper()
	a := &Agent{
		Token:   "secret-of-the-run",
		AppPort: testkit.FreePort(t),
		Volume:  filepath.Join(t.TempDir(), "volume"),
		Seed:    t.TempDir(),
		opts:    o,
		out:     &testkit.Buffer{},
	}
	a.Dir = filepath.Join(a.Volume, folder.Files)
	a.Addr = fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	a.Ready = fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	for path, from := range o.Seed {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(a.Seed, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	a.Run(t)
	t.Cleanup(func() {
		a.Kill()
		if t.Failed() {
			t.Logf("output of the container:\n%s", a.Output())
		}
	})
	return a
}

// Run starts the container again, with its volume as it is.
func (a *Agent) Run(t testing.TB) {
	t.Helper()
	o := a.opts
	s := agentspec.Spec{Seed: a.Seed, Dir: a.Dir, Volume: a.Volume, Command: o.Command}
	if s.Command == nil {
		s.Command = []string{filepath.Join(a.Dir, "app")}
	}
	p := probe.Probe{Kind: probe.HTTP, Path: "/health", Period: 100 * time.Millisecond, Timeout: 5 * time.Second}
	if o.Probe != nil {
		p = *o.Probe
	}
	if p.Port == 0 {
		p.Port = int32(a.AppPort)
	}
	asked, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	argv := append([]string{os.Args[0]}, o.Args...)
	if o.AsPID1 {
		argv = append([]string{"unshare", "-p", "-f", "--mount-proc", "--kill-child"}, argv...)
	}
	_, port, _ := net.SplitHostPort(a.Addr)
	_, readyPort, _ := net.SplitHostPort(a.Ready)
	a.cmd = exec.Command(argv[0], argv[1:]...)
	a.cmd.Env = append(os.Environ(),
		asAgent+"=1",
		agentspec.EnvSpec+"="+s.Encode(),
		agentspec.EnvToken+"="+a.Token,
		agentspec.EnvPort+"="+port,
		agentspec.EnvReadyPort+"="+readyPort,
		agentspec.EnvProbe+"="+string(asked),
		agentspec.EnvBuild+"="+o.Build,
		"PORT="+strconv.Itoa(a.AppPort),
	)
	if o.InDir != "" {
		a.cmd.Env = append(a.cmd.Env, agentspec.EnvDir+"="+filepath.Join(a.Dir, o.InDir))
	}
	a.cmd.Env = append(a.cmd.Env, o.Env...)
	a.cmd.Stdout, a.cmd.Stderr = a.out, a.out
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait()
		close(exited)
	}(a.cmd, a.exited)
}

// Pid returns the process id of the agent, or of what runs it as PID 1.
func (a *Agent) Pid() int { return a.cmd.Process.Pid }

// Signal sends a signal to the agent.
func (a *Agent) Signal(s syscall.Signal) { _ = a.cmd.Process.Signal(s) }

// Wait waits for the agent's end and returns its exit code.
func (a *Agent) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-a.exited:
		return a.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		t.Fatal("the agent did not end")
		return 0
	}
}

// Kill ends the container the way the kernel does: everything in it at once.
func (a *Agent) Kill() {
	_ = a.cmd.Process.Kill()
	<-a.exited
	killBelow(a.Dir)
}

// killBelow ends what a killed agent has left: processes of which the working
// folder is the container's, or the program is in it.
func killBelow(dir string) {
	folders, _ := filepath.Glob("/proc/[0-9]*/cwd")
	programs, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, l := range append(folders, programs...) {
		if to, err := os.Readlink(l); err == nil && (to == dir || strings.HasPrefix(to, dir+"/")) {
			pid, _ := strconv.Atoi(strings.Split(l, "/")[2])
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// Output returns what the container has written.
func (a *Agent) Output() string { return a.out.String() }

// Get asks the service, "" where it does not answer.
func (a *Agent) Get(path string) string {
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d%s", a.AppPort, path))
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return ""
	}
	return string(b)
}

// Eventually waits for a condition.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
	}
}
