package watch

import (
	"os"

	"golang.org/x/sys/unix"
)

// isWhole says that a file is there and that nobody has it open for writing: only
// then does the kernel lease it to a reader. Where it leases nothing, as on some
// file systems of other machines, no file counts as whole.
func isWhole(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close() // which ends the lease
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	return err == nil
}
