package logdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/s2"

	"zr/internal/api/logstore"
	"zr/pkg/logline"
)

// stored is a line as it is kept: in a row, or in a block.
type stored struct {
	id           int64
	at           time.Time
	source       int32
	messageBytes int32 // where the message ends and the fields begin; -1 where there are none
	skipped      int
	level        int16
	text, styles []byte
}

// line puts a line together, all but who wrote it.
func (r *stored) line() *logline.Line {
	l := &logline.Line{ID: r.id, Time: r.at.UTC(), Skipped: r.skipped}
	text := string(r.text)
	l.Level, l.Message, l.Styles = levels[r.level], text, parseStyles(string(r.styles))
	if r.messageBytes >= 0 {
		l.Message, l.Fields = text[:r.messageBytes], logline.SplitFields(text[r.messageBytes:])
	}
	return l
}

func (r *stored) position() logstore.Position { return logstore.Position{At: r.at, ID: r.id} }

// packer makes a block of lines. Its zero value is ready.
type packer struct {
	heads         []byte
	texts, styles []byte
	lines         int
	at, id        int64 // of the line before
}

// add adds a line, after those of earlier positions.
func (p *packer) add(r *stored) {
	at := r.at.UnixMicro()
	for _, n := range [...]int64{at - p.at, r.id - p.id, int64(r.source), int64(r.level), int64(r.skipped), int64(r.messageBytes), int64(len(r.text)), int64(len(r.styles))} {
		p.heads = binary.AppendVarint(p.heads, n)
	}
	p.texts, p.styles = append(p.texts, r.text...), append(p.styles, r.styles...)
	p.at, p.id = at, r.id
	p.lines++
}

// bytes returns the block: how many lines there are and how long their heads and texts
// are, then heads, texts and styles, compressed.
func (p *packer) bytes() []byte {
	var plain []byte
	for _, n := range []int{p.lines, len(p.heads), len(p.texts)} {
		plain = binary.AppendUvarint(plain, uint64(n))
	}
	plain = append(append(append(plain, p.heads...), p.texts...), p.styles...)
	return s2.EncodeBetter(nil, plain)
}

// block is what bytes made, read line by line.
type block struct {
	lines, read   int // lines that are left, bytes of heads that were read
	heads         []byte
	texts, styles []byte
}

// head is a line as it stands in a block. It has no pointers: most lines are passed over.
type head struct {
	id, at          int64 // in microseconds
	source          int32
	level           int16
	skipped         int
	messageBytes    int32
	text, textEnd   int // in block.texts
	style, styleEnd int // in block.styles
}

var errBlock = errors.New("a block of log lines is damaged")

// openBlock unpacks a block into memory, of which it uses what is there.
func openBlock(body []byte, memory *[]byte) (*block, error) {
	plain, err := s2.Decode((*memory)[:cap(*memory)], body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBlock, err)
	}
	*memory = plain
	var sizes [3]int
	for i := range sizes {
		n, used := binary.Uvarint(plain)
		if used <= 0 || n > uint64(len(plain)) {
			return nil, errBlock
		}
		sizes[i], plain = int(n), plain[used:]
	}
	if sizes[1]+sizes[2] > len(plain) {
		return nil, errBlock
	}
	b := &block{lines: sizes[0], heads: plain[:sizes[1]]}
	texts := plain[sizes[1]:]
	b.texts, b.styles = texts[:sizes[2]], texts[sizes[2]:]
	return b, nil
}

// next goes on from a line to the next one, and is false after the last. The first one
// comes after the zero head.
func (b *block) next(h *head) (bool, error) {
	if b.lines == 0 {
		return false, nil
	}
	b.lines--
	var n [8]int64
	for i := range n {
		value, used := binary.Varint(b.heads[b.read:])
		if used <= 0 {
			return false, errBlock
		}
		n[i] = value
		b.read += used
	}
	*h = head{id: h.id + n[1], at: h.at + n[0], source: int32(n[2]), level: int16(n[3]), skipped: int(n[4]), messageBytes: int32(n[5]),
		text: h.textEnd, textEnd: h.textEnd + int(n[6]), style: h.styleEnd, styleEnd: h.styleEnd + int(n[7])}
	if n[6] < 0 || h.textEnd > len(b.texts) || n[7] < 0 || h.styleEnd > len(b.styles) || n[3] < 0 || n[3] >= int64(len(levels)) || n[5] > n[6] {
		return false, errBlock
	}
	return true, nil
}

func (h *head) position() logstore.Position {
	return logstore.Position{At: time.UnixMicro(h.at), ID: h.id}
}

// line returns a line of the block, whose texts are in the memory of the block.
func (b *block) line(h *head) stored {
	return stored{id: h.id, at: time.UnixMicro(h.at), source: h.source, level: h.level, skipped: h.skipped, messageBytes: h.messageBytes,
		text: b.texts[h.text:h.textEnd], styles: b.styles[h.style:h.styleEnd]}
}
