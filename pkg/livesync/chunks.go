package livesync

import "zr/pkg/agentspec/wire"

// Chunks gives content as the chunks that make it of an older version, each byte once
// and in order. They are compressed as for a slow line.
func Chunks(content, old []byte) []wire.Chunk {
	file, was := outgoing{content: hashed(content)}, hashed(old)
	file.was = was.File
	d := differ{found: &distances{}}
	var chunks []wire.Chunk
	for _, q := range cut(0, file, base{leaves: was.leaves, content: old}, nil) {
		c := wire.Chunk{Offset: q.from, Size: q.to - q.from, Op: wire.OpSame}
		if !q.same {
			want := content[q.from:q.to]
			if patch := d.patch(q.from, want, old); patch != nil {
				c.Op, c.Body = wire.OpZstd|wire.OpPatch, compressor().EncodeAll(patch, nil)
			} else {
				c.Op, c.Body = wire.OpZstd, compressor().EncodeAll(want, nil)
			}
		}
		chunks = append(chunks, c)
	}
	return chunks
}

// hashed is what hashFile returns of a file, for bytes that are at hand.
func hashed(b []byte) content {
	leaves := wire.AppendLeaves(nil, b)
	return content{File: wire.File{Size: int64(len(b)), Sum: wire.SumOf(leaves)}, leaves: leaves}
}
