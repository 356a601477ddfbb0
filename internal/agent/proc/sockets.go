package proc

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// States of sockets, as the kernel numbers them.
const (
	tcpListen = 10 // TCP_LISTEN
	udpOpen   = 7  // TCP_CLOSE: a UDP socket that is not connected
)

// bound returns the ports of the sockets of this network namespace that are in a
// state, by what a symlink to a descriptor of the socket says. The kernel answers a
// question about one state in microseconds; its tables in /proc name every connection
// too, which takes milliseconds where there are many. They are read where the kernel
// does not answer.
func bound(protocol byte, state int) map[string]int {
	sockets := map[string]int{}
	tables := map[byte]string{syscall.IPPROTO_TCP: "/proc/net/tcp", syscall.IPPROTO_UDP: "/proc/net/udp"}
	for _, family := range []struct {
		number byte
		suffix string
	}{{syscall.AF_INET, ""}, {syscall.AF_INET6, "6"}} {
		if diagnosed(sockets, family.number, protocol, state) != nil {
			tabled(sockets, tables[protocol]+family.suffix, state)
		}
	}
	return sockets
}

// The question for sockets and its answer: inet_diag_req_v2 and inet_diag_msg of
// linux/inet_diag.h. The numbers of the kernel are in the byte order of the machine,
// ports in that of the network.
const (
	netlinkSockDiag  = 4  // NETLINK_SOCK_DIAG
	sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	questionSize     = syscall.SizeofNlMsghdr + 56
	answerPort       = 4
	answerInode      = 68
	answerSize       = 72
)

// diagnosed asks the kernel for the sockets in a state and adds them.
func diagnosed(sockets map[string]int, family, protocol byte, state int) error {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	question := make([]byte, questionSize)
	binary.NativeEndian.PutUint32(question, questionSize)
	binary.NativeEndian.PutUint16(question[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(question[6:], syscall.NLM_F_REQUEST|syscall.NLM_F_DUMP)
	question[syscall.SizeofNlMsghdr], question[syscall.SizeofNlMsghdr+1] = family, protocol
	binary.NativeEndian.PutUint32(question[syscall.SizeofNlMsghdr+4:], 1<<state)
	if err := syscall.Sendto(fd, question, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	for buffer := make([]byte, 32<<10); ; {
		n, _, err := syscall.Recvfrom(fd, buffer, 0)
		if err != nil {
			return err
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			return err
		}
		for _, m := range messages {
			switch {
			case m.Header.Type == syscall.NLMSG_DONE:
				return nil
			case m.Header.Type == syscall.NLMSG_ERROR || len(m.Data) < answerSize:
				return syscall.ENOTSUP
			}
			inode := binary.NativeEndian.Uint32(m.Data[answerInode:])
			sockets[socketLink(strconv.FormatUint(uint64(inode), 10))] = int(binary.BigEndian.Uint16(m.Data[answerPort:]))
		}
	}
}

// tabled reads a table of the kernel and adds the sockets in a state.
func tabled(sockets map[string]int, table string, state int) {
	b, _ := os.ReadFile(table) // there is none where there is no IPv6
	for line := range strings.Lines(string(b)) {
		// number, local address, remote address, state, queues, timer, retransmits, user, timeout, inode
		fields := strings.Fields(line)
		if len(fields) < 10 {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		port, err := strconv.ParseUint(hex, 16, 16)
		if s, notState := strconv.ParseInt(fields[3], 16, 0); err == nil && notState == nil && int(s) == state {
			sockets[socketLink(fields[9])] = int(port)
		}
	}
}

// socketLink is what a symlink to a descriptor of a socket says.
func socketLink(inode string) string { return "socket:[" + inode + "]" }
