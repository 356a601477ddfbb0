package hostport

import (
	"errors"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
)

func TestCheck(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := int32(l.Addr().(*net.TCPAddr).Port)

	var taken *Taken
	if err := Check(port); !errors.As(err, &taken) {
		t.Fatalf("Check of a port in use: %v", err)
	}
	if runtime.GOOS == "linux" && taken.Owner.PID != os.Getpid() {
		t.Errorf("owner is %s, want this process (%d)", taken.Owner, os.Getpid())
	}
	l.Close()
	if err := Check(port); err != nil {
		t.Errorf("Check of a free port: %v", err)
	}
}

// TestLowPort: an ordinary user may not listen where docker's daemon may.
func TestLowPort(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := int32(l.Addr().(*net.TCPAddr).Port)
	refused := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}
	if taken := judge("/proc", port, refused); taken == nil || taken.Owner.PID != os.Getpid() {
		t.Errorf("a port in use: %v", taken)
	}
	l.Close()
	if taken := judge("/proc", port, refused); taken != nil {
		t.Errorf("a free port: %v", taken)
	}
}

func TestListeners(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0BB8 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0000000000000000 100 0 0 10 0
`
	for port, want := range map[int32]string{3000: "4242", 3001: "4244"} {
		if got := listeners(table, port); len(got) != 1 || got[0] != want {
			t.Errorf("listeners at %d: %v, want [%s]", port, got, want)
		}
	}
	if got := listeners(table, 3002); got != nil {
		t.Errorf("listeners at 3002: %v", got)
	}
}

func TestContainer(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"/usr/bin/conmon", "-c", "abc", "-n", "web"}, "podman container web"},
		{[]string{"/usr/bin/docker-proxy", "-proto", "tcp"}, "a docker container (docker ps shows which)"},
		{[]string{"node", "-n", "web"}, ""},
		{[]string{""}, ""},
	} {
		if got := container(tt.args); got != tt.want {
			t.Errorf("container(%q) = %q, want %q", tt.args, got, tt.want)
		}
	}
}
