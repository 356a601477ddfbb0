package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxChunk is the most that one chunk stands for, in bytes of the file. It
// bounds the buffers on both sides and how long a ping waits.
const MaxChunk = 256 << 10

// Op says how the bytes of a chunk are given.
type Op byte

// The ways to give bytes.
const (
	OpRaw  Op = iota // as they are
	OpS2             // compressed with S2: fast connections, little CPU
	OpZstd           // compressed with Zstandard: slow connections
	OpSame           // as in the base, at the same offset; Size is not bounded by MaxChunk

	// OpPatch added to one of the first three says that they give not the
	// bytes but a patch, of at most MaxChunk bytes, that makes them from the
	// base.
	OpPatch Op = 0x10
)

// Packing returns how the body is packed: OpRaw, OpS2 or OpZstd.
func (o Op) Packing() Op { return o &^ OpPatch }

// Patch reports whether the body is a patch.
func (o Op) Patch() bool { return o&OpPatch != 0 }

// Chunk is a part of one file of a transaction. It begins at a leaf and ends
// at one or at the end of the file.
type Chunk struct {
	Tx     uint32
	File   uint32 // index in Begin.Files
	Offset int64
	Size   int64 // of the part of the file, not of Body
	Op     Op
	Body   []byte
}

const chunkHead = 4 + 4 + 8 + 8 + 1

// Head returns everything of the chunk but its body: the two parts of a frame
// of TypeChunk.
func (c Chunk) Head() []byte {
	b := make([]byte, 0, chunkHead)
	b = binary.BigEndian.AppendUint32(b, c.Tx)
	b = binary.BigEndian.AppendUint32(b, c.File)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Offset))
	b = binary.BigEndian.AppendUint64(b, uint64(c.Size))
	return append(b, byte(c.Op))
}

// ParseChunk reads the payload of a frame of TypeChunk. Body stays in b. What
// the chunk says is checked for what can be known without the transaction.
func ParseChunk(b []byte) (Chunk, error) {
	if len(b) < chunkHead {
		return Chunk{}, errors.New("chunk: too short")
	}
	c := Chunk{
		Tx:     binary.BigEndian.Uint32(b),
		File:   binary.BigEndian.Uint32(b[4:]),
		Offset: int64(binary.BigEndian.Uint64(b[8:])),
		Size:   int64(binary.BigEndian.Uint64(b[16:])),
		Op:     Op(b[24]),
		Body:   b[chunkHead:],
	}
	switch {
	case c.Offset < 0 || c.Size <= 0 || c.Offset+c.Size < c.Offset:
		return Chunk{}, fmt.Errorf("chunk: %d bytes at %d", c.Size, c.Offset)
	case c.Offset%LeafSize != 0:
		return Chunk{}, fmt.Errorf("chunk: offset %d is not that of a leaf", c.Offset)
	case c.Op.Packing() > OpSame || c.Op == OpSame|OpPatch:
		return Chunk{}, fmt.Errorf("chunk: unknown op %d", c.Op)
	case c.Op == OpSame && len(c.Body) != 0:
		return Chunk{}, errors.New("chunk: a body where the base has the bytes")
	case c.Op != OpSame && c.Size > MaxChunk:
		return Chunk{}, fmt.Errorf("chunk: %d bytes: at most %d", c.Size, MaxChunk)
	case c.Op == OpRaw && int64(len(c.Body)) != c.Size:
		return Chunk{}, fmt.Errorf("chunk: %d bytes of %d", len(c.Body), c.Size)
	}
	return c, nil
}
