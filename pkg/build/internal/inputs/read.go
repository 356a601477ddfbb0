package inputs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"zr/pkg/bounded"
)

// shaped is how much of a file a Lister is shown, in bytes: sources are smaller.
// Of a larger one the whole content counts as its shape, if it has any.
const shaped = 4 << 20

// learn reads a file.
func learn(path string, lister Lister) (known, error) {
	c, st, err := read(path)
	if err != nil || st.Absent {
		return known{Stat: st}, err
	}
	k := known{Stat: st, Hash: c.hash, Shape: lister.Shape(path, c.head)}
	if k.Shape != "" && st.Size > shaped {
		k.Shape = c.hash
	}
	if len(k.Shape) > 64 {
		k.Shape = hashBytes([]byte(k.Shape)) // keeps the cache file small
	}
	return k, nil
}

// content is what is kept of a file: never all of a large one.
type content struct {
	head []byte // the first bytes
	hash string // sha256 of all, hex
}

// read returns a file's content, and its stat from before and after the read
// agreeing, so that a hash never mixes two versions of a file. The content of a
// symlink to a folder is where it leads.
func read(path string) (content, stat, error) {
	for {
		before, err := statOf(path, time.Now())
		if err != nil || before.Absent {
			return content{}, before, err
		}
		if before.isDir() {
			target, err := os.Readlink(path)
			if errors.Is(err, unix.EINVAL) || isGone(err) { // the folder itself, in the place of a file
				return content{}, before, nil
			}
			return content{[]byte(target), hashBytes([]byte(target))}, before, err
		}
		c, err := readFile(path)
		if err != nil {
			return content{}, before, err
		}
		after, err := statOf(path, time.Now())
		if err != nil {
			return content{}, before, err
		}
		after.Seen = before.Seen
		if after == before {
			return c, before, nil
		}
	}
}

func readFile(path string) (content, error) {
	f, err := bounded.Open(path)
	if isGone(err) || errors.Is(err, bounded.ErrNotRegular) {
		return content{}, nil // another one since the stat: the next stat says so
	}
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, shaped))
	if err != nil {
		return content{}, err
	}
	if len(head) < shaped {
		return content{head, hashBytes(head)}, nil
	}
	h := sha256.New()
	h.Write(head)
	if _, err := io.Copy(h, f); err != nil {
		return content{}, err
	}
	return content{head, hex.EncodeToString(h.Sum(nil))}, nil
}
