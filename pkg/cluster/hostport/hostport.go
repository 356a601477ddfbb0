// Package hostport says whether a TCP port of this machine is free, and who
// has it where it is not.
package hostport

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Loopback is the address at which kind publishes the ports of a cluster.
const Loopback = "127.0.0.1"

// Taken says that a port cannot be had.
type Taken struct {
	Port  int32
	Owner Owner // zero where it cannot be told
	Err   error // what the system said
}

// Owner is the process that has a port.
type Owner struct {
	PID     int
	Command string // its command line, cut short
	// Container says whose port it is where the process only holds it for a
	// container: "podman container x". Killing the process would not free it.
	Container string
}

func (o Owner) String() string {
	switch {
	case o.PID == 0:
		return "a process that cannot be told without its owner's rights"
	case o.Container != "":
		return o.Container
	}
	return fmt.Sprintf("process %d (%s)", o.PID, o.Command)
}

// Remedy says how to free the port.
func (o Owner) Remedy() string {
	switch {
	case o.Container != "":
		return "stop " + o.Container
	case o.PID != 0:
		return fmt.Sprintf("stop it (kill %d)", o.PID)
	}
	return "stop what has the port"
}

func (t *Taken) Error() string {
	if errors.Is(t.Err, syscall.EADDRINUSE) {
		return fmt.Sprintf("port %d is in use by %s", t.Port, t.Owner)
	}
	return fmt.Sprintf("port %d cannot be used: %v", t.Port, t.Err)
}

// Unwrap returns what the system said.
func (t *Taken) Unwrap() error { return t.Err }

// Check returns a *Taken when nothing can listen at the port of the loopback
// address, and nil when the port is free.
func Check(port int32) error {
	if taken := check(port); taken != nil {
		return taken
	}
	return nil
}

func check(port int32) *Taken {
	l, err := net.Listen("tcp4", net.JoinHostPort(Loopback, strconv.Itoa(int(port))))
	if err == nil {
		l.Close()
	}
	return judge("/proc", port, err)
}

// judge says what it means for an engine that zr could not listen at a port. A
// low port is not for an ordinary user, while the engine's daemon may have it.
func judge(proc string, port int32, err error) *Taken {
	switch {
	case err == nil, errors.Is(err, syscall.EACCES) && len(sockets(proc, port)) == 0:
		return nil
	case errors.Is(err, syscall.EACCES):
		err = syscall.EADDRINUSE
	case !errors.Is(err, syscall.EADDRINUSE):
		return &Taken{Port: port, Err: err}
	}
	return &Taken{Port: port, Err: err, Owner: owner(proc, port)}
}
