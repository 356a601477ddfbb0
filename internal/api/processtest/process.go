package processtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"zr/internal/api"
	"zr/internal/api/contract"
	"zr/internal/testkit"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/ticket"
)

// asAPI makes the test's own program the api.
const asAPI = "ZRTEST_AS_API"

// Main runs the tests of a package, or the api where Start asks for that. TestMain
// calls it.
func Main(m *testing.M) int {
	if os.Getenv(asAPI) != "" {
		return api.Main(os.Getenv, os.Stdout)
	}
	return kubetest.Main(m)
}

// LoginKey is the key of the login links.
const LoginKey = "key-of-the-login-links-of-a-test"

// API is a replica: a process of its own.
type API struct {
	URL string
	Log *testkit.Buffer

	t       testing.TB
	process *exec.Cmd
	done    chan struct{}
}

// Start runs a replica with the mount of a cluster and further settings.
func Start(t testing.TB, mount map[string]string, settings map[string]string) *API {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	a := &API{t: t, Log: &testkit.Buffer{}, process: exec.Command(program), done: make(chan struct{})}
	env := map[string]string{asAPI: "1", "PORT": "0", "LOGIN_KEY": LoginKey, "READERS": "anybody"}
	maps.Copy(env, mount)
	maps.Copy(env, settings)
	for name, value := range env {
		a.process.Env = append(a.process.Env, name+"="+value)
	}
	a.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	a.process.Stderr = a.Log
	out, err := a.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.process.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(a.done)
		a.read(out, address)
		_ = a.process.Wait() // ended by a signal of ours
	}()
	t.Cleanup(a.Kill)
	select {
	case at := <-address:
		a.URL = "http://127.0.0.1" + at[strings.LastIndex(at, ":"):]
	case <-a.done:
		t.Fatalf("the api ended:\n%s", a.Log)
	}
	return a
}

// read keeps the log, and tells the address in it.
func (a *API) read(out io.Reader, address chan<- string) {
	lines := bufio.NewReader(out)
	for {
		text, err := lines.ReadBytes('\n')
		_, _ = a.Log.Write(text) // never fails
		var line struct{ Msg, Address string }
		if json.Unmarshal(text, &line) == nil && line.Msg == "listening" {
			address <- line.Address
		}
		if err != nil {
			return
		}
	}
}

// Kill ends the replica without a word.
func (a *API) Kill() {
	_ = a.process.Process.Kill() // it may have ended
	<-a.done
}

// PeakMemory is the most memory that the process had, in bytes.
func (a *API) PeakMemory() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.process.Process.Pid))
	if err != nil {
		a.t.Fatal(err)
	}
	var kilobytes int64
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(value, &kilobytes) // 0 where it is not there
		}
	}
	return kilobytes << 10
}

// LogIn begins a session and returns its cookie, for every replica.
func (a *API) LogIn(role string) string {
	a.t.Helper()
	a.Await("the api is ready", func() bool { return a.Status("/health") == http.StatusOK })
	text, err := ticket.Make(LoginKey, "ada", role, time.Now())
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := http.Post(a.URL+contract.Base+"/session", "application/json", strings.NewReader(`{"ticket":"`+text+`"}`))
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	cookie, _, _ := strings.Cut(resp.Header.Get("Set-Cookie"), ";")
	if resp.StatusCode != http.StatusOK {
		a.t.Fatalf("logging in: %d", resp.StatusCode)
	}
	return cookie
}

// Get asks with a cookie, and returns the status and the body; 0 where there is no
// answer.
func (a *API) Get(path, cookie string) (int, []byte) {
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.URL+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Cookie", cookie)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, body
}

// Status is that of an answer to nobody.
func (a *API) Status(path string) int {
	status, _ := a.Get(path, "")
	return status
}

// Await waits for a condition.
func (a *API) Await(what string, is func() bool) {
	a.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			a.t.Fatalf("it does not come: %s\n%s", what, a.Log)
		}
	}
}
