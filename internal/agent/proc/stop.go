package proc

import (
	"context"
	"syscall"
	"time"
)

// The patience of Stop.
const (
	// Grace is how long a process may keep its port after SIGTERM.
	Grace = time.Second
	// DrainGrace is how long a process that gave up its port may finish the
	// requests that it has.
	DrainGrace = 3 * time.Second
	// portPoll is how often the port is looked at. Looking costs three
	// system calls.
	portPoll = 500 * time.Microsecond
)

// Stop ends the process and returns as soon as another one can take its place: when it
// has exited or, if port is not 0, when it has given up that port and any other that it
// served. A server of several ports closes one after the other, and the next process
// would not get the others. In the second case it finishes its requests meanwhile, and
// is killed after DrainGrace. A process that does neither within Grace is killed.
// Cancelling ctx kills at once.
func Stop(ctx context.Context, p *Process, port int) {
	ports := inUse(port)
	if !p.Running() {
		p.Clear()
		released(ctx, ports)
		return
	}
	p.Signal(syscall.SIGTERM)
	var look <-chan time.Time
	if len(ports) > 0 {
		t := time.NewTicker(portPoll)
		defer t.Stop()
		look = t.C
	}
	grace := time.NewTimer(Grace)
	defer grace.Stop()
	for {
		select {
		case <-p.exited:
			p.Clear()
			released(ctx, ports)
			return
		case <-look:
			if free, _ := allFree(ports); free {
				go finish(p)
				return
			}
			continue
		case <-grace.C:
		case <-ctx.Done():
		}
		Kill(p)
		released(ctx, ports)
		return
	}
}

// inUse returns the ports that tell when a process has given up its place:
// the given one, and all that are served with it. There is none where the
// given one is free already or cannot be looked at, which says nothing about
// the stop.
func inUse(port int) []servedPort {
	if port == 0 {
		return nil
	}
	if free, known := PortFree(port); free || !known {
		return nil
	}
	served := []servedPort{{port: port}}
	for _, other := range serving() {
		if free, known := other.free(); other != served[0] && !free && known {
			served = append(served, other)
		}
	}
	return served
}

// released waits, for Grace at the most, until nothing listens on the ports: a
// child of a process that has ended may have one, and is killed, but not gone.
func released(ctx context.Context, ports []servedPort) {
	for end := time.Now().Add(Grace); len(ports) > 0 && ctx.Err() == nil && time.Now().Before(end); time.Sleep(portPoll) {
		if free, known := allFree(ports); free || !known {
			return
		}
	}
}

// finish lets a process end by itself, for a while.
func finish(p *Process) {
	t := time.NewTimer(DrainGrace)
	defer t.Stop()
	select {
	case <-p.exited:
	case <-t.C:
	}
	p.Signal(syscall.SIGKILL)
}

// Kill ends the process group without asking and waits for the process.
func Kill(p *Process) {
	p.Signal(syscall.SIGKILL)
	<-p.exited // the kernel does not refuse this; uninterruptible I/O delays it
	p.Clear()
}

// Clear ends what a process that has ended left behind: in its group, and what
// left that and was adopted. No other one that may leave something is to run.
func (p *Process) Clear() {
	p.Signal(syscall.SIGKILL)
	p.reaper.endOrphans()
}
