package inputs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"zr/pkg/bounded"
)

// racy is how long before a look a file must have been modified last for its
// stat to be trusted later: two writes within one tick of the file system's
// clock leave the same time. 2 s is the coarsest clock in use (FAT).
const racy = 2 * time.Second

// stat is what tells, without reading a file, that it was not touched. The
// change time cannot be set by a program, so that a file which was put back
// with its old modification time is noticed too.
type stat struct {
	Size   int64  `json:"s"`
	Mtime  int64  `json:"m"` // nanoseconds
	Ctime  int64  `json:"c"`
	Inode  uint64 `json:"i"`
	Mode   uint32 `json:"p"`
	Seen   int64  `json:"t"` // when it was looked at, nanoseconds
	Absent bool   `json:"a,omitempty"`
}

// statOf looks at a path and follows symlinks. An absent file is a state too, and
// so is what is no file: a pipe, a socket or a device has no content that a build
// could be made from.
func statOf(path string, now time.Time) (stat, error) {
	var st unix.Stat_t
	for {
		err := unix.Stat(path, &st)
		switch {
		case err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG && st.Mode&unix.S_IFMT != unix.S_IFDIR:
			return stat{Absent: true, Seen: now.UnixNano()}, nil
		case err == nil:
			return stat{
				Size: st.Size, Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(), Inode: uint64(st.Ino),
				Mode: uint32(st.Mode), Seen: now.UnixNano(),
			}, nil
		case isGone(err):
			return stat{Absent: true, Seen: now.UnixNano()}, nil
		case !errors.Is(err, unix.EINTR):
			return stat{}, &fs.PathError{Op: "stat", Path: path, Err: err}
		}
	}
}

// isGone reports whether an error says that nothing is at a path: it is not there, a
// file is where a folder on the way was, or a symlink leads to itself.
func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}

func (s stat) isDir() bool { return s.Mode&unix.S_IFMT == unix.S_IFDIR }

// same reports whether nothing was written since before was taken.
func (before stat) same(now stat) bool {
	certain := before.Absent || before.Seen-max(before.Mtime, before.Ctime) > int64(racy)
	seen := before
	seen.Seen = now.Seen
	return certain && seen == now
}

// HashFile returns the sha256 of a file's content, as hex.
func HashFile(path string) (string, error) {
	f, err := bounded.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading %q: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashBytes is HashFile for content at hand.
func hashBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
