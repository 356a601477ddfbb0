package proc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"zr/internal/testkit"
)

// The test binary is also the process under test: its first argument says
// what it does.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "as" {
		act(os.Args[2])
		return
	}
	reaper = NewReaper()
	os.Exit(m.Run())
}

var reaper *Reaper

func act(what string) {
	switch what {
	case "exit":
		os.Exit(7)
	case "print":
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
		fmt.Print("no newline")
	case "sleep":
		time.Sleep(time.Hour)
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "wrapper", "daemon": // its child has the port, and keeps it
		c := exec.Command(os.Args[0], "as", "hog")
		c.Stdout = os.Stdout
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: what == "daemon"}
		if err := c.Start(); err != nil {
			panic(err)
		}
		time.Sleep(time.Hour)
	case "two ports": // the second is kept until it ends
		l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("OTHER"))
		if err != nil {
			panic(err)
		}
		defer l.Close()
		act("stubborn")
	case "udp": // its port is kept until it ends
		c, err := net.ListenPacket("udp", "127.0.0.1:"+os.Getenv("UDP"))
		if err != nil {
			panic(err)
		}
		defer c.Close()
		act("stubborn")
	case "drain", "stubborn", "hog":
		l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
		if err != nil {
			panic(err)
		}
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("ready")
		<-c
		if what == "hog" {
			time.Sleep(time.Hour)
		}
		l.Close()
		if what == "drain" {
			time.Sleep(300 * time.Millisecond)
			os.Exit(0)
		}
		time.Sleep(time.Hour)
	}
}

func start(t *testing.T, what string, env ...string) (*Process, *testkit.Buffer) {
	t.Helper()
	out := &testkit.Buffer{}
	p, err := Start(reaper, Command{
		Argv: []string{os.Args[0], "as", what}, Dir: t.TempDir(), Env: env, Stdout: out, Stderr: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Kill(p) })
	return p, out
}

// freeUDP returns a UDP port that the kernel chooses for nobody.
func freeUDP(t *testing.T) int {
	t.Helper()
	first, _ := chosenPorts("/proc/sys/net/ipv4/ip_local_port_range")
	for port := first - 1; port > 1024; port-- {
		if free, known := udpFree(port); free && known {
			return port
		}
	}
	t.Fatal("no UDP port is free")
	return 0
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

func TestOutput(t *testing.T) {
	var out, errs bytes.Buffer
	p, err := Start(reaper, Command{Argv: []string{os.Args[0], "as", "print"}, Stdout: &out, Stderr: &errs})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Exited()
	if out.String() != "to stdout\nno newline" || errs.String() != "to stderr\n" {
		t.Errorf("stdout %q, stderr %q", out.String(), errs.String())
	}
	if got := strings.Join(p.Output(), "|"); !strings.Contains(got, "to stderr") || !strings.HasSuffix(got, "no newline") {
		t.Errorf("tail %q", got)
	}
	if p.ExitCode() != 0 || p.Running() {
		t.Errorf("exit code %d", p.ExitCode())
	}
}

func TestExit(t *testing.T) {
	p, _ := start(t, "exit")
	<-p.Exited()
	if p.ExitCode() != 7 || p.Cause() != "exited with status 7" {
		t.Errorf("%d, %s", p.ExitCode(), p.Cause())
	}
	p, _ = start(t, "sleep")
	p.Signal(syscall.SIGKILL)
	<-p.Exited()
	if p.ExitCode() != 137 || !strings.Contains(p.Cause(), "killed") {
		t.Errorf("%d, %s", p.ExitCode(), p.Cause())
	}
	if _, err := Start(reaper, Command{Argv: []string{"/no/such/program"}}); err == nil {
		t.Error("a program that does not exist was started")
	}
}

func TestStop(t *testing.T) {
	port := testkit.FreePort(t)
	env := fmt.Sprintf("PORT=%d", port)
	t.Run("ends at the signal", func(t *testing.T) {
		p, _ := start(t, "sleep")
		Stop(t.Context(), p, 0)
		if p.Running() {
			t.Error("it still runs")
		}
	})
	t.Run("ignores the signal", func(t *testing.T) {
		p, out := start(t, "deaf")
		eventually(t, "ready", func() bool { return out.String() != "" })
		Stop(t.Context(), p, 0)
		if p.Running() || p.ExitCode() != 137 {
			t.Error("it was not killed")
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		p, out := start(t, "deaf")
		eventually(t, "ready", func() bool { return out.String() != "" })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		Stop(ctx, p, 0)
		if p.Running() {
			t.Error("it still runs")
		}
	})
	t.Run("gives up its port and drains", func(t *testing.T) {
		p, out := start(t, "drain", env)
		eventually(t, "ready", func() bool { return out.String() != "" })
		Stop(t.Context(), p, port)
		if !p.Running() {
			t.Error("Stop waited for the end")
		}
		if free, known := PortFree(port); !free || !known {
			t.Error("the port is taken")
		}
		<-p.Exited()
		if p.ExitCode() != 0 {
			t.Errorf("exit code %d", p.ExitCode())
		}
	})
	t.Run("leaves its port to a child", func(t *testing.T) {
		for range 20 {
			p, _ := start(t, "wrapper", env)
			eventually(t, "the child listens", func() bool { free, _ := PortFree(port); return !free })
			Stop(t.Context(), p, port)
			if free, _ := PortFree(port); !free {
				t.Fatal("the child has it")
			}
		}
	})
	t.Run("leaves its port to a child that left its group", func(t *testing.T) {
		for _, ends := range []func(*Process){
			func(p *Process) { Stop(t.Context(), p, port) },
			Kill,
			func(p *Process) { _ = syscall.Kill(p.Pid, syscall.SIGKILL); <-p.Exited(); p.Clear() },
		} {
			p, _ := start(t, "daemon", env)
			eventually(t, "the child listens", func() bool { free, _ := PortFree(port); return !free })
			ends(p)
			if free, _ := PortFree(port); !free {
				t.Fatal("the child has it")
			}
		}
	})
	t.Run("gives up one of two ports", func(t *testing.T) {
		other := testkit.FreePort(t)
		p, out := start(t, "two ports", env, fmt.Sprintf("OTHER=%d", other))
		eventually(t, "ready", func() bool { return out.String() != "" })
		Stop(t.Context(), p, port)
		for _, port := range []int{port, other} {
			if free, known := PortFree(port); !free || !known {
				t.Errorf("port %d is taken", port)
			}
		}
	})
	t.Run("keeps a UDP port", func(t *testing.T) {
		port, udp := testkit.FreePort(t), freeUDP(t)
		p, out := start(t, "udp", fmt.Sprintf("PORT=%d", port), fmt.Sprintf("UDP=%d", udp))
		eventually(t, "it listens", func() bool { return strings.Contains(out.String(), "ready") })
		Stop(t.Context(), p, port)
		if free, known := udpFree(udp); !free || !known {
			t.Errorf("UDP port %d is taken", udp)
		}
	})
	t.Run("gives up its port and stays", func(t *testing.T) {
		p, out := start(t, "stubborn", env)
		eventually(t, "ready", func() bool { return out.String() != "" })
		Stop(t.Context(), p, port)
		<-p.Exited() // after DrainGrace
		if p.ExitCode() != 137 {
			t.Errorf("exit code %d", p.ExitCode())
		}
	})
}

func TestPortFree(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0", "[::1]:0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Logf("%s: %v", addr, err)
			continue
		}
		port := l.Addr().(*net.TCPAddr).Port
		if free, known := PortFree(port); free || !known {
			t.Errorf("%s: free=%v known=%v while it listens", addr, free, known)
		}
		// A connection that outlives its listener is not in the way.
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if free, known := PortFree(port); !free || !known {
			t.Errorf("%s: free=%v known=%v after it closed", addr, free, known)
		}
		c.Close()
		server.Close()
	}
}

func TestTail(t *testing.T) {
	tl := newTail()
	out := tl.stream()
	for i := range 120 {
		fmt.Fprintf(out, "line %d\n", i)
	}
	io.WriteString(out, strings.Repeat("long ", 2000)+"\nhalf")
	got := tl.lines()
	if len(got) != tailLines+1 || got[0] != "line 71" || got[len(got)-1] != "half" || len(got[len(got)-2]) != tailWidth {
		t.Errorf("%d lines, from %q to %q", len(got), got[0], got[len(got)-1])
	}
	io.WriteString(tl.stream(), "panic\n") // on the other stream, in the middle of a line
	if got := tl.lines(); got[len(got)-2] != "panic" || got[len(got)-1] != "half" {
		t.Errorf("the streams are mixed: %q", got[len(got)-2:])
	}
}
