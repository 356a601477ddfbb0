package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Sum is a sha256.
type Sum [sha256.Size]byte

// IsZero reports whether s was never set.
func (s Sum) IsZero() bool { return s == Sum{} }

// String returns s in hexadecimal.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText encodes s as hexadecimal; a zero Sum as nothing.
func (s Sum) MarshalText() ([]byte, error) {
	if s.IsZero() {
		return nil, nil
	}
	return hex.AppendEncode(nil, s[:]), nil
}

// UnmarshalText decodes what MarshalText wrote.
func (s *Sum) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = Sum{}
		return nil
	}
	if len(text) != 2*len(s) {
		return fmt.Errorf("a sum of %d characters: want %d", len(text), 2*len(s))
	}
	_, err := hex.Decode(s[:], text)
	return err
}

// File is one file of the folder.
type File struct {
	Size int64 `json:"size"`
	Exec bool  `json:"exec,omitempty"`
	Sum  Sum   `json:"sum"`
}

// Tree is what a folder holds: slash-separated relative path → file.
type Tree map[string]File

// Sum returns one hash over every path, mode and content. Equal sums mean
// equal folders.
func (t Tree) Sum() Sum {
	h := sha256.New()
	var line []byte
	for _, p := range slices.Sorted(maps.Keys(t)) {
		f := t[p]
		mode := byte('-')
		if f.Exec {
			mode = 'x'
		}
		// The sum has a fixed length and the path no newline (CheckPath), so
		// two different trees cannot give the same text.
		line = append(line[:0], mode)
		line = hex.AppendEncode(line, f.Sum[:])
		line = fmt.Appendf(line, " %d %s\n", f.Size, p)
		h.Write(line)
	}
	return Sum(h.Sum(nil))
}

// CheckPath says why p cannot be the path of a synced file. It must be
// relative, clean, slash-separated and below the folder.
func CheckPath(p string) error {
	switch {
	case !fs.ValidPath(p) || p == ".":
		return fmt.Errorf("path %q: want a clean path below the folder", p)
	case strings.ContainsAny(p, "\x00\n\\"):
		return fmt.Errorf("path %q: holds a character that no source file has", p)
	}
	return nil
}
