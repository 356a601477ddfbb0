// Package gitignore reads the lines of an ignore file and compares them with
// paths as git does. Which file decides is up to its users.
package gitignore

import (
	"bytes"
	"strings"
)

// Rule is one line of an ignore file, compiled so that the common kinds cost
// one comparison.
type Rule struct {
	Negated  bool   // it began with '!': what matches is not ignored
	fixed    string // what a path begins with, before the first wildcard
	pattern  string // what remains of the line, without the parts below
	kind     kind
	dirOnly  bool // it ended with '/'
	anchored bool // it has a '/' elsewhere: compared with the path, not the name
}

type kind uint8

const (
	literal kind = iota // foo
	prefix              // foo*
	suffix              // *.foo
	glob                // everything else
)

// Parse reads an ignore file as gitignore(5) says. A line that makes no sense is
// skipped, as git does.
func Parse(data []byte) []Rule {
	var rules []Rule
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for line := range strings.SplitAfterSeq(string(data), "\n") {
		// git ends the last line too, before it looks for "\r\n".
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if r, ok := parseRule(line); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

func parseRule(line string) (Rule, bool) {
	if strings.HasPrefix(line, "#") {
		return Rule{}, false
	}
	line = trimSpaces(line)
	var r Rule
	if strings.HasPrefix(line, "!") {
		r.Negated, line = true, line[1:]
	}
	if strings.HasSuffix(line, "/") {
		r.dirOnly, line = true, line[:len(line)-1]
	}
	r.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return Rule{}, false
	}
	r.pattern, r.kind = line, glob
	switch star := strings.IndexByte(line, '*'); {
	case !strings.ContainsAny(line, `*?[\`):
		r.kind = literal
	case r.anchored:
		// git compares this part first, and so takes the "**" of "foo**/bar"
		// for one that begins a path.
		wildcard := strings.IndexAny(line, `*?[\`)
		r.fixed, r.pattern = line[:wildcard], line[wildcard:]
	case strings.ContainsAny(line, `?[\`) || strings.Count(line, "*") > 1:
	case star == len(line)-1:
		r.kind, r.pattern = prefix, line[:star]
	case star == 0:
		r.kind, r.pattern = suffix, line[1:]
	}
	return r, true
}

// trimSpaces drops trailing blanks that no backslash keeps.
func trimSpaces(line string) string {
	end := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			continue
		case '\\':
			i++ // what follows is kept, a blank as well
		}
		end = min(i+1, len(line))
	}
	return line[:end]
}

// Matches compares the rule with a path below the folder of its file, with
// slashes, and with the last name of that path.
func (r *Rule) Matches(path, name string, isDir bool) bool {
	if r.dirOnly && !isDir {
		return false
	}
	text := name
	if r.anchored {
		text = path
	}
	switch r.kind {
	case literal:
		return text == r.pattern
	case prefix:
		return strings.HasPrefix(text, r.pattern)
	case suffix:
		return strings.HasSuffix(text, r.pattern)
	}
	text, ok := strings.CutPrefix(text, r.fixed)
	return ok && wild(r.pattern, 0, text) == matched
}

// outcome is what a comparison found. The last two let the stars that called
// it give up early, so that no pattern takes exponential time.
type outcome uint8

const (
	matched outcome = iota
	differs
	hopeless       // the text has ended: no star further left can help
	hopelessInName // only a "**" further left can help
)

// wild compares pattern[p:] with a text as git does, where '*' and '?' stop
// at slashes and "**" between slashes does not.
func wild(pattern string, p int, text string) outcome {
	for ; p < len(pattern); p++ {
		c := pattern[p]
		if text == "" && c != '*' {
			return hopeless
		}
		switch c {
		case '*':
			return wildStar(pattern, p, text)
		case '?':
			if text[0] == '/' {
				return differs
			}
		case '[':
			end, in, ok := class(pattern, p, text[0])
			if !ok {
				return hopeless
			}
			if !in || text[0] == '/' {
				return differs
			}
			p = end
		case '\\':
			if p++; p == len(pattern) || text[0] != pattern[p] {
				return differs
			}
		default:
			if text[0] != c {
				return differs
			}
		}
		text = text[1:]
	}
	if text != "" {
		return differs
	}
	return matched
}

// wildStar goes on at the star or stars at pattern[p].
func wildStar(pattern string, p int, text string) outcome {
	start := p
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	rest := pattern[p:]
	// Two stars are special only as a whole name of a path.
	across := p-start > 1 && (start == 0 || pattern[start-1] == '/') &&
		(rest == "" || rest[0] == '/' || strings.HasPrefix(rest, `\/`))
	if across && rest != "" && rest[0] == '/' && wild(pattern, p+1, text) == matched {
		return matched // "**/" is also nothing at all
	}
	if rest == "" {
		if !across && strings.Contains(text, "/") {
			return differs
		}
		return matched
	}
	for ; text != ""; text = text[1:] {
		switch o := wild(pattern, p, text); {
		case o == differs:
			if !across && text[0] == '/' {
				return hopelessInName
			}
		case !across || o != hopelessInName:
			return o
		}
	}
	return hopeless
}

// class says whether c is in the class that begins at pattern[p], and where
// that ends; not ok where it has no end.
func class(pattern string, p int, c byte) (end int, in, ok bool) {
	p++
	negated := p < len(pattern) && (pattern[p] == '!' || pattern[p] == '^')
	if negated {
		p++
	}
	for first := true; ; first = false {
		if p >= len(pattern) {
			return 0, false, false
		}
		if pattern[p] == ']' && !first {
			return p, in != negated, true
		}
		if strings.HasPrefix(pattern[p:], "[:") {
			if name, _, closed := strings.Cut(pattern[p+2:], ":]"); closed && !strings.Contains(name, "]") {
				is, known := classes[name]
				if !known {
					return 0, false, false
				}
				in = in || is(c)
				p += len(name) + 4
				continue
			}
		}
		low, next, ok := classByte(pattern, p)
		if !ok {
			return 0, false, false
		}
		high := low
		if next+1 < len(pattern) && pattern[next] == '-' && pattern[next+1] != ']' {
			if high, next, ok = classByte(pattern, next+1); !ok {
				return 0, false, false
			}
		}
		in = in || low <= c && c <= high
		p = next
	}
}

// classByte reads one character of a class, which a backslash may precede.
func classByte(pattern string, p int) (c byte, next int, ok bool) {
	if pattern[p] == '\\' {
		p++
	}
	if p >= len(pattern) {
		return 0, 0, false
	}
	return pattern[p], p + 1, true
}

// classes are the named classes, of ASCII only as in git.
var classes = map[string]func(byte) bool{
	"alnum":  func(c byte) bool { return isAlpha(c) || isDigit(c) },
	"alpha":  isAlpha,
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
	"digit":  isDigit,
	"graph":  isGraph,
	"lower":  isLower,
	"print":  func(c byte) bool { return isGraph(c) || c == ' ' },
	"punct":  func(c byte) bool { return isGraph(c) && !isAlpha(c) && !isDigit(c) },
	"space":  func(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' },
	"upper":  isUpper,
	"xdigit": func(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' },
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isAlpha(c byte) bool { return isLower(c) || isUpper(c) }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isGraph(c byte) bool { return c > ' ' && c < 0x7f }
