package proc

import (
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
