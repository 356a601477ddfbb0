package wire

import "crypto/sha256"

// LeafSize is the unit in which files are hashed and compared: the page of
// the platforms that run containers, and the alignment of the sections of an
// ELF file.
const LeafSize = 4 << 10

// MaxAsked is the size in bytes of the largest file of which the leaves can be
// asked for: their sums take 17 MB of a frame, as text.
const MaxAsked = 1 << 30

// LeafCount returns how many leaves a file of the given size has.
func LeafCount(size int64) int { return int((size + LeafSize - 1) / LeafSize) }

// AppendLeaves appends the sums of the leaves of b. Of a larger file, b must
// begin at a leaf and end at one or at the end of the file.
func AppendLeaves(sums []Sum, b []byte) []Sum {
	for len(b) > 0 {
		n := min(len(b), LeafSize)
		sums = append(sums, sha256.Sum256(b[:n]))
		b = b[n:]
	}
	return sums
}

// SumOf returns the sum of a file from those of its leaves: the hash over
// them. That way a file of which a few leaves changed needs just those to be
// hashed, and large files can be hashed by several cores. (A file's size is
// part of what identifies it, so that one leaf is not a list of others.)
func SumOf(leaves []Sum) Sum {
	h := sha256.New()
	for i := range leaves {
		h.Write(leaves[i][:])
	}
	return Sum(h.Sum(nil))
}
