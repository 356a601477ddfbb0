// Package storetest starts real PostgreSQL, Redis and MariaDB servers for tests: on
// loopback, in temporary folders, as a user without rights.
package storetest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"zr/internal/testkit"
)

// RequireEnv makes a test fail where a server is not installed; without it
// the test is skipped.
const RequireEnv = "ZR_TEST_REQUIRE"

// nobody is the user that servers run as when the test runs as root:
// PostgreSQL refuses root. Debian has it on every system.
const nobody = 65534

// startTimeout is for a busy machine: a server usually takes 0.1 s.
const startTimeout = time.Minute

// binary returns the path of a server's program, and skips the test where it
// is missing. Debian keeps the programs of PostgreSQL out of the PATH, and those of
// MariaDB out of that of users.
func binary(t testing.TB, name string) string {
	t.Helper()
	for _, name := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(versions) > 0 {
		slices.Sort(versions)
		return versions[len(versions)-1]
	}
	missing := name + " is not installed: apt-get install -y postgresql redis-server mariadb-server-core"
	if os.Getenv(RequireEnv) != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// folder makes a folder that only the servers' user can read.
func folder(t testing.TB, pattern string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command runs as nobody where the test is root, in a folder that nobody may
// read, and dies with the test.
func command(dir, path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return cmd
}

// process is a running server and what it printed.
type process struct {
	cmd    *exec.Cmd
	output *testkit.Buffer
	done   chan struct{}
}

func start(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, output: &testkit.Buffer{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // ended by a signal of ours, or seen by await
	}()
	return p
}

// await asks until the server answers.
func (p *process) await(t testing.TB, ask func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		if err = ask(); err == nil {
			return
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended: %s", p.cmd.Path, p.output)
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer: %v\n%s", p.cmd.Path, err, p.output)
}

func (p *process) stop(sig syscall.Signal) {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		panic(fmt.Sprintf("stopping %s: %v", p.cmd.Path, err))
	}
	<-p.done
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
