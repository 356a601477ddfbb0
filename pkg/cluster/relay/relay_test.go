package relay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zr/internal/testkit"
	"zr/pkg/cluster/hostport"
)

// relayFile is set in a process of this test that is to be a relay.
const relayFile = "ZRTEST_RELAY_FILE"

func TestMain(m *testing.M) {
	path := os.Getenv(relayFile)
	if path == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := Main(ctx, path, os.Stdin, os.Stdout, loopback); err != nil {
		os.Exit(1)
	}
}

// loopback dials what stands for a NodePort here: a port of this machine.
func loopback(ctx context.Context, node int32) (io.ReadWriteCloser, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort(hostport.Loopback, strconv.Itoa(int(node))))
}

// greeter is a server that says a word and then repeats what it is sent, until
// the client has no more.
func greeter(t *testing.T, word string) int32 {
	t.Helper()
	return int32(testkit.Serve(t, func(c net.Conn) {
		fmt.Fprintln(c, word)
		_, _ = io.Copy(c, c)
	}).Port)
}

func dial(t *testing.T, port int32) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", net.JoinHostPort(hostport.Loopback, strconv.Itoa(int(port))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// word is what the server behind a port says first.
func word(t *testing.T, port int32) string {
	t.Helper()
	text, err := bufio.NewReader(dial(t, port)).ReadString('\n')
	if err != nil {
		t.Fatalf("port %d: %v", port, err)
	}
	return strings.TrimSpace(text)
}

func serve(t *testing.T, ports ...Port) {
	t.Helper()
	r, err := Listen(ports)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Serve(ctx, loopback)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func freePort(t *testing.T) int32 { return int32(testkit.FreePort(t)) }

func TestARelayedConnectionEndsInOneDirectionAtATime(t *testing.T) {
	port := freePort(t)
	serve(t, Port{"web", port, greeter(t, "hello")})
	c := dial(t, port)
	fmt.Fprint(c, "all of it")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	if err != nil || string(text) != "hello\nall of it" {
		t.Errorf("the client read %q, %v", text, err)
	}
}

func TestNobodyBehindARelayedPortIsAReset(t *testing.T) {
	port := freePort(t)
	serve(t, Port{"web", port, freePort(t)})
	c, err := net.Dial("tcp4", net.JoinHostPort(hostport.Loopback, strconv.Itoa(int(port))))
	if err == nil { // the reset may be quicker
		defer c.Close()
		_, err = io.ReadAll(c)
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading from a port with nobody behind: %v", err)
	}
}

func TestAPortInUseIsNamedWithItsProgram(t *testing.T) {
	taken, free := greeter(t, "mine"), freePort(t)
	_, err := Listen([]Port{{"api", free, 1}, {"web", taken, 1}})
	var who *hostport.Taken
	if !errors.As(err, &who) || who.Owner.PID != os.Getpid() || !strings.Contains(err.Error(), `"web"`) {
		t.Errorf("listening at a port in use: %v", err)
	}
	if err := hostport.Check(free); err != nil {
		t.Errorf("the other port is kept: %v", err)
	}
}

// ensure starts processes of this test as relays.
func ensure(t *testing.T, path string, ports ...Port) (*State, bool, error) {
	t.Helper()
	t.Setenv(relayFile, path)
	t.Cleanup(func() {
		if _, err := Stop(context.Background(), path); err != nil {
			t.Error(err)
		}
	})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Ensure(t.Context(), path, ports, exe)
}

func must(t *testing.T, path string, ports ...Port) (*State, bool) {
	t.Helper()
	s, started, err := ensure(t, path, ports...)
	if err != nil {
		t.Fatal(err)
	}
	return s, started
}

func TestOneProcessRelaysForAnEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay-x@x-dev")
	web, api := Port{"web", freePort(t), greeter(t, "web")}, Port{"api", freePort(t), greeter(t, "api")}

	first, started := must(t, path, web)
	if !started || word(t, web.Host) != "web" {
		t.Errorf("the first is %+v, started %v", first, started)
	}
	if same, started := must(t, path, web); started || same.PID != first.PID {
		t.Errorf("what runs already was started again: %+v after %+v", same, first)
	}
	both, started := must(t, path, web, api)
	if !started || both.PID == first.PID || word(t, web.Host) != "web" || word(t, api.Host) != "api" {
		t.Errorf("with another port it is %+v after %+v", both, first)
	}
	for end := time.Now().Add(10 * time.Second); !errors.Is(syscall.Kill(first.PID, 0), syscall.ESRCH); time.Sleep(time.Millisecond) {
		if time.Now().After(end) { // it has ended before that, and is waited for by this test
			t.Fatal("the one before is still there")
		}
	}

	if err := syscall.Kill(both.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for s := both; s != nil; { // until the kernel has taken it away
		var err error
		if s, err = Running(path); err != nil {
			t.Fatal(err)
		}
	}
	if again, started := must(t, path, web, api); !started || word(t, api.Host) != "api" {
		t.Errorf("after a kill it is %+v", again)
	}

	if s, _ := must(t, path); s != nil {
		t.Errorf("without ports one runs: %+v", s)
	}
	if err := hostport.Check(web.Host); err != nil {
		t.Errorf("after its end: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its file is left: %v", err)
	}
}

func TestARelayThatCannotListenSaysWhy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay-x@x-dev")
	taken := greeter(t, "mine")
	_, _, err := ensure(t, path, Port{"web", taken, 1})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("port %d is in use by process %d", taken, os.Getpid())) {
		t.Errorf("a relay at a port in use: %v", err)
	}
	if s, err := Running(path); s != nil || err != nil {
		t.Errorf("it runs all the same: %+v, %v", s, err)
	}
}
