package engine

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// daemonPID returns the process behind the docker socket, and whether it runs
// on this machine at all. The kernel knows who listens; a daemon in another
// PID namespace has no number here and is not ours to look into.
func daemonPID(ctx context.Context) (pid string, local bool) {
	path := "/var/run/docker.sock"
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		var ok bool
		if path, ok = strings.CutPrefix(host, "unix://"); !ok {
			return "", false
		}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return "", false
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return "", false
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || credErr != nil || cred.Pid == 0 {
		return "", false
	}
	return strconv.Itoa(int(cred.Pid)), true
}
