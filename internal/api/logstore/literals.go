package logstore

import (
	"regexp/syntax"
	"strings"
)

// The bounds of what an expression is taken apart into.
const (
	// minLiteral is the shortest text that leaves out much.
	minLiteral = 3
	// maxAlternatives keeps the query short. Beyond it the expression is tried
	// on every line.
	maxAlternatives = 16
)

// literals returns texts without which an expression cannot match: alternatives,
// each of texts that are all there. It returns nil where nothing is known.
func literals(expression string) [][]string {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil // who compiled it with success passed something else
	}
	all := required(re.Simplify())
	if len(all) > maxAlternatives {
		return nil
	}
	return all
}

// required is literals for a part of an expression.
func required(re *syntax.Regexp) [][]string {
	switch re.Op {
	case syntax.OpLiteral:
		return plain(string(re.Rune))
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpAlternate:
		var all [][]string
		for _, sub := range re.Sub {
			of := required(sub)
			if of == nil {
				return nil
			}
			all = append(all, of...)
		}
		return all
	case syntax.OpConcat:
		// What is certain goes together; of several choices one is enough.
		var certain []string
		var choice [][]string
		for _, sub := range re.Sub {
			switch of := required(sub); {
			case len(of) == 1:
				certain = append(certain, of[0]...)
			case of != nil && choice == nil:
				choice = of
			}
		}
		if certain != nil {
			return [][]string{certain}
		}
		return choice
	}
	return nil
}

// plain returns the parts of a text that a store compares as Go does: those in
// ASCII.
func plain(text string) [][]string {
	var parts []string
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r >= 0x80 || r < ' ' }) {
		if len(part) >= minLiteral {
			parts = append(parts, part)
		}
	}
	if parts == nil {
		return nil
	}
	return [][]string{parts}
}
