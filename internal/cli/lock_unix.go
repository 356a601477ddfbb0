//go:build unix

package cli

import (
	"os"
	"syscall"
)

// lockFile locks a file for this process until it is closed, or fails at once.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// shareFile locks a file for this process and others that share it, or fails at
// once.
func shareFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) }
