package main

import (
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// slowNetwork is a slow line between this machine and a network namespace: two TUN devices,
// between which packets are carried as a line of a given delay and rate would. It does
// what tc's netem does, which not every kernel has.
type slowNetwork struct {
	delay atomic.Int64 // of one way, in nanoseconds
	bytes atomic.Int64 // of IP that were carried, both ways
	down  atomic.Bool  // nothing is carried
}

// The names and addresses of a line, which lead nowhere beyond this machine.
const (
	slowSpace = "zrbench"
	slowHere  = "10.213.7.1"
	slowThere = "10.213.7.2"
	slowMoved = "10.213.7.3" // of the namespace, after it has changed its network
)

// slowRate is in bytes a second: 10 Mbit/s each way.
const slowRate = 10e6 / 8

// linkQueue is how long a packet may wait for its turn before it is dropped, as by a
// router.
const linkQueue = 200 * time.Millisecond

// newSlowNetwork makes the namespace and its line, which go at the end of the part.
func newSlowNetwork(b *bench) *slowNetwork {
	l := &slowNetwork{}
	ip := func(args ...string) { runIP(b, args...) }
	ip("netns", "add", slowSpace)
	b.Cleanup(func() { _ = exec.Command("ip", "netns", "del", slowSpace).Run() })
	here, there := openTUN(b, "zrbench0"), openTUN(b, "zrbench1")
	ip("link", "set", "zrbench1", "netns", slowSpace)
	ip("addr", "add", slowHere+"/29", "dev", "zrbench0")
	ip("link", "set", "zrbench0", "up")
	ip("-n", slowSpace, "addr", "add", slowThere+"/29", "dev", "zrbench1")
	ip("-n", slowSpace, "link", "set", "zrbench1", "up")
	ip("-n", slowSpace, "link", "set", "lo", "up")
	ip("-n", slowSpace, "route", "add", "default", "via", slowHere)
	go l.carry(here, there)
	go l.carry(there, here)
	return l
}

func runIP(b *bench, args ...string) {
	if text, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		b.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, text)
	}
}

// move gives the namespace another address in place of the one it had: what is open from
// there is dead, and nobody is told.
func (l *slowNetwork) move(b *bench, from, to string) {
	runIP(b, "-n", slowSpace, "addr", "del", from+"/29", "dev", "zrbench1")
	runIP(b, "-n", slowSpace, "addr", "add", to+"/29", "dev", "zrbench1")
	runIP(b, "-n", slowSpace, "route", "replace", "default", "via", slowHere)
}

// openTUN makes a device, which goes when its file is closed.
func openTUN(b *bench, name string) *os.File {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	b.must(err)
	request, err := unix.NewIfreq(name)
	b.must(err)
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	b.must(unix.IoctlIfreq(fd, unix.TUNSETIFF, request))
	b.must(unix.SetNonblock(fd, true))
	file := os.NewFile(uintptr(fd), name)
	b.Cleanup(func() { file.Close() })
	return file
}

// carry takes packets from one end to the other, until one is closed.
func (l *slowNetwork) carry(from, to *os.File) {
	type packet struct {
		due  time.Time
		data []byte
	}
	way := make(chan packet, 4096)
	defer close(way)
	go func() {
		for p := range way {
			time.Sleep(time.Until(p.due))
			_, _ = to.Write(p.data) // a device that is gone takes none
		}
	}()
	free := time.Now() // when the line is done with what it was given
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		now := time.Now()
		if free.Before(now) {
			free = now
		}
		if free.Sub(now) > linkQueue || l.down.Load() {
			continue
		}
		free = free.Add(time.Duration(float64(n) / slowRate * float64(time.Second)))
		l.bytes.Add(int64(n))
		way <- packet{free.Add(time.Duration(l.delay.Load())), append([]byte{}, buffer[:n]...)}
	}
}
