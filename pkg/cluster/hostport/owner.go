package hostport

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxCommand is how much of a command line tells which program it is.
const maxCommand = 80

// stateListen is TCP_LISTEN of the kernel's tcp_states.h, as /proc/net/tcp
// prints it.
const stateListen = "0A"

// owner finds the process that listens at a port: the sockets of the network
// namespace in /proc/net, then who has such a socket among its files. It
// returns the zero Owner where /proc does not say, as outside Linux or when
// the process is another user's.
func owner(proc string, port int32) Owner {
	sockets := sockets(proc, port)
	if len(sockets) == 0 {
		return Owner{}
	}
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*/fd/*"))
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !sockets[target] {
			continue
		}
		dir := filepath.Dir(filepath.Dir(link))
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		text, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		args := strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
		return Owner{PID: pid, Command: command(dir, args), Container: container(args)}
	}
	return Owner{}
}

// sockets are those that listen at a port, as the files of a process name them.
func sockets(proc string, port int32) map[string]bool {
	found := map[string]bool{}
	for _, file := range []string{"net/tcp", "net/tcp6"} {
		text, err := os.ReadFile(filepath.Join(proc, file))
		if err != nil {
			continue
		}
		for _, inode := range listeners(string(text), port) {
			found["socket:["+inode+"]"] = true
		}
	}
	return found
}

// listeners returns the inodes of the sockets that listen at a port, from the
// text of a /proc/net/tcp.
func listeners(table string, port int32) []string {
	// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
	const local, state, inode = 1, 3, 9
	suffix := fmt.Sprintf(":%04X", port)
	var found []string
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) > inode && f[state] == stateListen && strings.HasSuffix(f[local], suffix) {
			found = append(found, f[inode])
		}
	}
	return found
}

// command returns a command line, cut short.
func command(dir string, args []string) string {
	line := strings.TrimSpace(strings.Join(args, " "))
	if line == "" { // a zombie or a kernel thread has no command line
		name, _ := os.ReadFile(filepath.Join(dir, "comm"))
		line = strings.TrimSpace(string(name))
	}
	if r := []rune(line); len(r) > maxCommand {
		line = string(r[:maxCommand-1]) + "…"
	}
	return line
}

// container tells for which container a command line of an engine's helper
// holds a port, or returns "".
func container(args []string) string {
	switch filepath.Base(args[0]) {
	case "conmon": // podman's, with the name after -n
		if i := slices.Index(args, "-n"); i >= 0 && i+1 < len(args) {
			return "podman container " + args[i+1]
		}
	case "docker-proxy": // knows an address only
		return "a docker container (docker ps shows which)"
	case "rootlessport":
		return "a rootless container"
	}
	return ""
}
