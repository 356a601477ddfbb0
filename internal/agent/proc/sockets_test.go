package proc

import (
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestBound: the kernel's answers and its tables name the same ports, and none that
// is only connected to.
func TestBound(t *testing.T) {
	for _, c := range []struct {
		network, address string
		family, protocol byte
		state            int
		table            string
	}{
		{"tcp4", "127.0.0.1:0", syscall.AF_INET, syscall.IPPROTO_TCP, tcpListen, "/proc/net/tcp"},
		{"tcp6", "[::1]:0", syscall.AF_INET6, syscall.IPPROTO_TCP, tcpListen, "/proc/net/tcp6"},
		{"udp4", "127.0.0.1:0", syscall.AF_INET, syscall.IPPROTO_UDP, udpOpen, "/proc/net/udp"},
		{"udp6", "[::1]:0", syscall.AF_INET6, syscall.IPPROTO_UDP, udpOpen, "/proc/net/udp6"},
	} {
		t.Run(c.network, func(t *testing.T) {
			served, other := open(t, c.network, c.address)
			asked, read := map[string]int{}, map[string]int{}
			if err := diagnosed(asked, c.family, c.protocol, c.state); err != nil {
				t.Skipf("this kernel tells of sockets by its tables alone: %v", err)
			}
			tabled(read, c.table, c.state)
			for name, sockets := range map[string]map[string]int{"asked": asked, "read": read, "either": bound(c.protocol, c.state)} {
				ports := []int{}
				for socket, port := range sockets {
					if !strings.HasPrefix(socket, "socket:[") {
						t.Errorf("%s: a socket is called %q", name, socket)
					}
					ports = append(ports, port)
				}
				if !slices.Contains(ports, served) || slices.Contains(ports, other) {
					t.Errorf("%s: the ports %v lack %d, or have %d", name, ports, served, other)
				}
			}
		})
	}
}

// open returns a port that is served, and one of a connection to it.
func open(t *testing.T, network, address string) (served, other int) {
	t.Helper()
	var at string
	if strings.HasPrefix(network, "udp") {
		c, err := net.ListenPacket(network, address)
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { c.Close() })
		at, served = c.LocalAddr().String(), c.LocalAddr().(*net.UDPAddr).Port
	} else {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { l.Close() })
		at, served = l.Addr().String(), l.Addr().(*net.TCPAddr).Port
	}
	c, err := net.Dial(network, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	switch a := c.LocalAddr().(type) {
	case *net.TCPAddr:
		other = a.Port
	case *net.UDPAddr:
		other = a.Port
	}
	return served, other
}
