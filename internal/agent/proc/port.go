package proc

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// PortFree reports whether a process could listen on the TCP port now: no
// socket of this network namespace does. Connections that are still open do
// not count. It answers in microseconds and sends nothing, so it does not
// disturb the process that is about to close the port.
//
// known is false where that cannot be found out: a port below 1024 without
// the right to bind it.
func PortFree(port int) (free, known bool) {
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	addr := syscall.Sockaddr(&syscall.SockaddrInet6{Port: port})
	if err != nil { // no IPv6 here
		fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		addr = &syscall.SockaddrInet4{Port: port}
	}
	if err != nil {
		return false, false
	}
	defer syscall.Close(fd)
	// With SO_REUSEADDR on both sides, as every server sets it, only a
	// listening socket is in the way. A dual-stack socket meets listeners of
	// both families.
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return false, false
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0)
	switch err := syscall.Bind(fd, addr); err {
	case nil:
		return true, true
	case syscall.EADDRINUSE:
		return false, true
	default:
		return false, false
	}
}

// udpFree is PortFree of a UDP port: no socket is bound to it.
func udpFree(port int) (free, known bool) {
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	addr := syscall.Sockaddr(&syscall.SockaddrInet6{Port: port})
	if err != nil { // no IPv6 here
		fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
		addr = &syscall.SockaddrInet4{Port: port}
	}
	if err != nil {
		return false, false
	}
	defer syscall.Close(fd)
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0)
	err = syscall.Bind(fd, addr)
	return err == nil, err == nil || err == syscall.EADDRINUSE
}

// servedPort is a port that a process serves.
type servedPort struct {
	port int
	udp  bool
}

func (p servedPort) free() (free, known bool) {
	if p.udp {
		return udpFree(p.port)
	}
	return PortFree(p.port)
}

// allFree tells whether a process could take all served now.
func allFree(served []servedPort) (free, known bool) {
	for _, p := range served {
		if free, known := p.free(); !free || !known {
			return false, known
		}
	}
	return true, true
}

// serving returns the served that the processes below this one serve, each once:
// TCP ports that are listened on, and UDP ports that the kernel did not choose.
// Those of a process that may not be looked into are missing.
func serving() []servedPort {
	sockets := map[string]servedPort{}
	for socket, port := range bound(syscall.IPPROTO_TCP, tcpListen) {
		sockets[socket] = servedPort{port, false}
	}
	first, last := chosenPorts("/proc/sys/net/ipv4/ip_local_port_range")
	for socket, port := range bound(syscall.IPPROTO_UDP, udpOpen) {
		if port < first || port > last {
			sockets[socket] = servedPort{port, true}
		}
	}
	var served []servedPort
	for _, pid := range descendants(os.Getpid()) {
		fds, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
		for _, fd := range fds {
			to, _ := os.Readlink(fd)
			if p, ok := sockets[to]; ok && !slices.Contains(served, p) {
				served = append(served, p)
			}
		}
	}
	return served
}

// chosenPorts reads the range that the kernel chooses ports from for whoever does
// not name one.
func chosenPorts(path string) (first, last int) {
	b, _ := os.ReadFile(path)
	if fields := strings.Fields(string(b)); len(fields) == 2 {
		first, _ = strconv.Atoi(fields[0])
		last, _ = strconv.Atoi(fields[1])
	}
	return first, last
}

// descendants returns the processes that are below another one.
func descendants(top int) (pids []int) {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		parent := parentOf(stat)
		children[parent] = append(children[parent], pid)
	}
	for next := []int{top}; len(next) > 0; {
		next = append(next, children[next[0]]...)
		pids = append(pids, children[next[0]]...)
		next = next[1:]
	}
	return pids
}
