package storetest

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"zr/internal/testkit"
)

// NewMemcached starts a server of the test's own and returns its port, and how it is
// stopped; with accounts it wants its clients to sign in. It is removed with the test.
func NewMemcached(t testing.TB, accounts bool) (port int, stop func()) {
	t.Helper()
	dir := folder(t, "zrtest-memcached-")
	port = testkit.FreePort(t)
	args := []string{"-l", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "0", "-u", "nobody"}
	if accounts {
		file := filepath.Join(dir, "accounts")
		testkit.WriteFile(t, file, User+":"+Password+"\n")
		args = append(args, "-Y", file)
	}
	p := start(t, command(dir, binary(t, "memcached"), args...))
	t.Cleanup(func() {
		p.stop(syscall.SIGKILL)
		_ = os.RemoveAll(dir)
	})
	return port, func() { p.stop(syscall.SIGKILL) }
}
