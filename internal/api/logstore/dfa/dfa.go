// Package dfa tells quickly whether a text matches an expression.
//
// The regexp package follows every way through an expression at once, which costs
// some 16 ns a byte. A Matcher keeps the sets of ways that it met as states, with where
// each character leads from them, so that most characters cost one look at a table.
// It finds no places, only whether there is one.
package dfa

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// maxSteps bounds what the states of a Matcher hold, in steps of the expression and
// in states, which are 1 KiB each: 4 MB. Beyond it they are forgotten and made anew.
const (
	maxSteps  = 1 << 19
	maxStates = 1 << 11
)

// Matcher is for one expression. It is not safe for concurrent use.
type Matcher struct {
	prog   *syntax.Prog
	prefix []byte // each match begins with it
	// assertions tells that the expression has some, such as \b: then states differ by
	// what came before.
	assertions bool
	begin      *state
	accept     *state // a match was found
	states     map[string]*state
	steps      int
	wild       map[rune][]rune // characters that stand for others

	seen  []uint32 // by instruction: the round in which it was visited
	round uint32
	stack []uint32
}

// state is a set of instructions from which the rest of a text goes on.
type state struct {
	at     []uint32
	before rune // of the kind of character that came before: -1 where none did
	next   [utf8.RuneSelf + 1]*state
	others map[rune]*state
}

// end stands in state.next where a text ends.
const end = utf8.RuneSelf

// New returns a Matcher of an expression in the syntax of package regexp.
func New(expression string) (*Matcher, error) { return NewWild(expression, nil) }

// NewWild returns a Matcher of texts in which some characters of ASCII stand for any of
// others, which are all characters of words. It says whether the text could match with
// some of these in their places.
func NewWild(expression string, wild map[rune][]rune) (*Matcher, error) {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("reading an expression: %w", err)
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, fmt.Errorf("reading an expression: %w", err)
	}
	m := &Matcher{prog: prog, seen: make([]uint32, len(prog.Inst)), accept: &state{}, wild: wild}
	for _, inst := range prog.Inst {
		m.assertions = m.assertions || inst.Op == syntax.InstEmptyWidth
	}
	if !m.assertions && wild == nil {
		prefix, _ := prog.Prefix()
		m.prefix = []byte(prefix)
	}
	m.forget()
	return m, nil
}

func (m *Matcher) forget() {
	m.states, m.steps = map[string]*state{}, 0
	m.begin = m.state(nil, -1)
}

// Match tells whether a text has a match.
func (m *Matcher) Match(text []byte) bool {
	s := m.begin
	for i := 0; i < len(text); {
		if s == m.begin && len(m.prefix) > 0 { // nothing is begun
			at := bytes.Index(text[i:], m.prefix)
			if at < 0 {
				return false
			}
			i += at
		}
		if c := text[i]; c < utf8.RuneSelf {
			next := s.next[c]
			if next == nil {
				next = m.step(s, rune(c))
			}
			s = next
			i++
		} else {
			r, size := utf8.DecodeRune(text[i:])
			next := s.others[r]
			if next == nil {
				next = m.step(s, r)
			}
			s = next
			i += size
		}
		if s == m.accept {
			return true
		}
	}
	next := s.next[end]
	if next == nil {
		next = m.step(s, -1)
	}
	return next == m.accept
}

// step finds where a character, or the end (-1), leads from a state, and keeps it
// there.
func (m *Matcher) step(from *state, r rune) *state {
	to := m.follow(from, r)
	switch {
	case r < 0:
		from.next[end] = to
	case r < utf8.RuneSelf:
		from.next[r] = to
	default:
		if from.others == nil {
			from.others = map[rune]*state{}
		}
		from.others[r] = to
		m.steps += 8 // what an entry of a map takes, and a little more
	}
	return to
}

func (m *Matcher) follow(from *state, r rune) *state {
	one := r // that is like all of which it may be
	if of := m.wild[r]; of != nil {
		one = of[0]
	}
	holds := syntax.EmptyOpContext(from.before, one)
	m.round++
	m.stack = append(append(m.stack[:0], from.at...), uint32(m.prog.Start)) // a match may begin anywhere
	var reached []uint32
	for len(m.stack) > 0 {
		pc := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if m.seen[pc] == m.round {
			continue
		}
		m.seen[pc] = m.round
		switch inst := &m.prog.Inst[pc]; inst.Op {
		case syntax.InstMatch:
			return m.accept
		case syntax.InstAlt, syntax.InstAltMatch:
			m.stack = append(m.stack, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			m.stack = append(m.stack, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^holds == 0 {
				m.stack = append(m.stack, inst.Out)
			}
		case syntax.InstFail:
		default:
			if r >= 0 && m.takes(inst, r) {
				reached = append(reached, inst.Out)
			}
		}
	}
	return m.state(reached, one)
}

// takes tells whether an instruction takes a character, or one that it stands for.
func (m *Matcher) takes(inst *syntax.Inst, r rune) bool {
	if of := m.wild[r]; of != nil {
		return slices.ContainsFunc(of, inst.MatchRune)
	}
	return inst.MatchRune(r)
}

// state returns the one of a set of instructions after a character.
func (m *Matcher) state(at []uint32, before rune) *state {
	slices.Sort(at)
	at = slices.Compact(at)
	before = m.kind(before)
	key := binary.AppendVarint(make([]byte, 0, 8+2*len(at)), int64(before))
	for _, pc := range at {
		key = binary.AppendUvarint(key, uint64(pc))
	}
	if s := m.states[string(key)]; s != nil {
		return s
	}
	if m.steps > maxSteps || len(m.states) > maxStates {
		m.forget()
	}
	s := &state{at: at, before: before}
	m.states[string(key)] = s
	m.steps += len(at)
	return s
}

// kind returns a character of which the assertions say the same.
func (m *Matcher) kind(r rune) rune {
	switch {
	case !m.assertions:
		return ' '
	case r < 0 || r == '\n':
		return r
	case syntax.IsWordChar(r):
		return 'a'
	}
	return ' '
}
