package logdb

import (
	"encoding/binary"
	"math/bits"
)

// gramBytes is how long the parts of texts are by which blocks are found.
const gramBytes = 4

// mostSlots bounds how much the grams of one partition take: 1 MiB.
const mostSlots = 1 << 18

// mostGrams bounds how many grams of one text are looked for: more say nothing new.
const mostGrams = 32

// grams says for each part of the texts of a partition in which of its blocks it may
// be: a bit for each block, at the slot that the part's hash names. Letters of ASCII
// count as small ones.
type grams []uint32

// newGrams has as many slots as a block has bytes, so that it takes an eighth of the
// text, and most slots of a block stay free.
func newGrams(bytesPerBlock int64) grams {
	slots := 1 << bits.Len64(uint64(max(bytesPerBlock, 1)))
	return make(grams, min(slots, mostSlots))
}

func (g grams) add(text []byte, block int) {
	var gram uint32
	for i := range len(text) {
		gram = gram<<8 | uint32(lower(text[i]))
		if i >= gramBytes-1 {
			g[hash(gram)&uint32(len(g)-1)] |= 1 << block
		}
	}
}

func (g grams) bytes() []byte {
	b := make([]byte, 0, 4*len(g))
	for _, blocks := range g {
		b = binary.BigEndian.AppendUint32(b, blocks)
	}
	return b
}

// hashes returns those of the grams of a text: some of them, where it is long.
func hashes(text string) []int64 {
	step := max((len(text)-gramBytes+1+mostGrams-1)/mostGrams, 1)
	var all []int64
	for i := 0; i+gramBytes <= len(text); i += step {
		var gram uint32
		for _, c := range []byte(text[i : i+gramBytes]) {
			gram = gram<<8 | uint32(lower(c))
		}
		all = append(all, int64(hash(gram)))
	}
	return all
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// hash mixes a gram. It is part of what is stored.
func hash(gram uint32) uint32 {
	gram ^= gram >> 16
	gram *= 0x7feb352d
	gram ^= gram >> 15
	gram *= 0x846ca68b
	return gram ^ gram>>16
}

// wanted are alternatives of texts as the hashes of their grams.
type wanted struct {
	all  []int64 // of all texts
	each []int   // how many of them each alternative has
}

// wantedOf returns the grams of alternatives, each of texts that are all there; none
// where an alternative has none, so that it may be anywhere.
func wantedOf(anyOf [][]string) (w wanted) {
	for _, texts := range anyOf {
		n := 0
		for _, text := range texts {
			of := hashes(text)
			w.all, n = append(w.all, of...), n+len(of)
		}
		if n == 0 {
			return wanted{}
		}
		w.each = append(w.each, n)
	}
	return w
}

// blocks returns which blocks may have one of the alternatives. masks are what is at
// the slots of all, 4 bytes each.
func (w wanted) blocks(masks []byte) uint32 {
	if len(w.all) == 0 {
		return ^uint32(0)
	}
	var any uint32
	for _, n := range w.each {
		all := ^uint32(0)
		for range n {
			all &= binary.BigEndian.Uint32(masks)
			masks = masks[4:]
		}
		any |= all
	}
	return any
}
