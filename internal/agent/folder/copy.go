package folder

import (
	"os"
	"sync"

	"zr/pkg/agentspec/wire"
)

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, wire.MaxChunk); return &b }}

// copyRange copies bytes between two files at the same offset.
func copyRange(dst, src *os.File, offset, size int64) error {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for size > 0 {
		b := (*buf)[:min(size, int64(len(*buf)))]
		if _, err := src.ReadAt(b, offset); err != nil {
			return err
		}
		if _, err := dst.WriteAt(b, offset); err != nil {
			return err
		}
		offset += int64(len(b))
		size -= int64(len(b))
	}
	return nil
}
