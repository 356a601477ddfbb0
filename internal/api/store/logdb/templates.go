package logdb

import (
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/s2"

	"zr/internal/api/logstore/dfa"
)

// Most lines of a program differ in their numbers and names alone. The templates of a
// block are its lines without these, each once. A line has the length of its template,
// and at each place either the same character or one of those that stand for it. So an
// expression that no template could match is matched by no line, and the block need not
// be read.

// These stand for characters that differ between the lines of a template. They are part
// of what is stored.
const (
	anyDigit = 1 // in a word of digits
	anyHex   = 2 // in a word of digits and letters from a to f
	anyAlnum = 3 // in another word with digits
)

var wild = map[rune][]rune{
	anyDigit: []rune("0123456789"),
	anyHex:   []rune("0123456789abcdef"),
	anyAlnum: []rune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
}

// mostTemplates is how many a block may have. One of more is text without a form, and is
// read; a full block has some 3,500 lines.
const mostTemplates = 512

// templates are made of the lines of a block. The zero value is ready.
type templates struct {
	of      map[string]*template // by the text with all words that have digits replaced
	order   []*template
	key     []byte
	without bool // the block has none
}

type template struct {
	levels int32 // a bit for each
	text   []byte
}

func (t *templates) add(text []byte, level int16) {
	if t.without {
		return
	}
	t.key = append(t.key[:0], text...)
	if !generalize(t.key) {
		t.without = true
		return
	}
	one := t.of[string(t.key)]
	switch {
	case one != nil:
		for i, c := range text {
			if one.text[i] != c {
				one.text[i] = t.key[i]
			}
		}
	case len(t.order) == mostTemplates:
		t.without = true
		return
	default:
		if t.of == nil {
			t.of = map[string]*template{}
		}
		one = &template{text: append([]byte(nil), text...)}
		t.of[string(t.key)], t.order = one, append(t.order, one)
	}
	one.levels |= 1 << level
}

// generalize replaces the words that have digits. It is false for a text that has one of
// the characters that stand for others itself.
func generalize(text []byte) bool {
	for i := 0; i < len(text); {
		if !isAlnum(text[i]) {
			if text[i] >= anyDigit && text[i] <= anyAlnum {
				return false
			}
			i++
			continue
		}
		end := i + 1
		for end < len(text) && isAlnum(text[end]) {
			end++
		}
		generalizeWord(text[i:end])
		i = end
	}
	return true
}

// fewChanges is how often digits and letters follow each other in words such as 12ms, v1
// and k8s, of which the letters are no part of a random name.
const fewChanges = 2

func generalizeWord(word []byte) {
	kind, digits, changes := byte(anyDigit), 0, 0
	for i, c := range word {
		switch {
		case isDigit(c):
			digits++
		case 'a' <= c && c <= 'f':
			kind = max(kind, anyHex)
		default:
			kind = anyAlnum
		}
		if i > 0 && isDigit(c) != isDigit(word[i-1]) {
			changes++
		}
	}
	if digits == 0 {
		return
	}
	for i, c := range word {
		if kind < anyAlnum || changes > fewChanges {
			word[i] = kind
		} else if isDigit(c) {
			word[i] = anyDigit
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// bytes returns the templates, compressed, each with its levels and length before it;
// nil where the block has none.
func (t *templates) bytes() []byte {
	if t.without {
		return nil
	}
	var plain []byte
	for _, one := range t.order {
		plain = binary.AppendUvarint(plain, uint64(one.levels))
		plain = binary.AppendUvarint(plain, uint64(len(one.text)))
		plain = append(plain, one.text...)
	}
	return s2.EncodeBetter(nil, plain)
}

// newTemplateMatchers are for templates; see matchers.
func newTemplateMatchers(expressions []string) (matchers, error) {
	return newMatchersBy(expressions, func(e string) (*dfa.Matcher, error) { return dfa.NewWild(e, wild) })
}

// mayMatch tells whether a line of the levels of a mask may match in the block of which
// bytes made the templates. It uses memory.
func (m matchers) mayMatch(packed []byte, levels int32, memory *[]byte) (bool, error) {
	if packed == nil {
		return true, nil
	}
	plain, err := s2.Decode((*memory)[:cap(*memory)], packed)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errBlock, err)
	}
	for *memory = plain; len(plain) > 0; {
		of, used := binary.Uvarint(plain)
		size, more := binary.Uvarint(plain[max(used, 0):])
		if used <= 0 || more <= 0 || size > uint64(len(plain)-used-more) {
			return false, errBlock
		}
		text := plain[used+more:][:size]
		if int32(of)&levels != 0 && m.match(text) {
			return true, nil
		}
		plain = plain[used+more+int(size):]
	}
	return false, nil
}
