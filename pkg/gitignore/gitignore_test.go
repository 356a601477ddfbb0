package gitignore

import (
	"strings"
	"testing"
)

// What git makes of each of these was asked of git itself; the watcher's tests
// ask it about random trees.
func TestMatches(t *testing.T) {
	for _, c := range []struct {
		line, path string
		dir, want  bool
	}{
		{"*.log", "a/b.log", false, true},
		{"*.log", "b.logs", false, false},
		{"/a", "b/a", false, false},
		{"a/b", "a/b", false, true},
		{"build/", "build", false, false},
		{"build/", "x/build", true, true},
		{"**/foo", "foo", false, true},
		{"a/**/b", "a/x/y/b", false, true},
		{"a/*/b", "a/x/y/b", false, false},
		{"foo**/bar", "foo/x/bar", false, true},
		{`end\ `, "end ", false, true},
		{"end ", "end", false, true},
		{"end\r", "end", false, true},
		{`\#a`, "#a", false, true},
		{"[!ab]", "c", false, true},
		{"[[:digit:]]*", "9a", false, true},
		{"[a-", "a", false, false},
	} {
		rules := Parse([]byte(c.line))
		if len(rules) != 1 {
			t.Errorf("%q: %d rules", c.line, len(rules))
			continue
		}
		name := c.path[strings.LastIndexByte(c.path, '/')+1:]
		if got := rules[0].Matches(c.path, name, c.dir); got != c.want {
			t.Errorf("%q matches %q: %v", c.line, c.path, got)
		}
	}
	if rules := Parse([]byte("# comment\n\n/\n!keep\r\n")); len(rules) != 1 || !rules[0].Negated {
		t.Errorf("rules: %+v", rules)
	}
}

// A pattern like this takes matchers that only backtrack minutes.
func TestNoPatternTakesForever(t *testing.T) {
	if wild(strings.Repeat("*a", 40)+"b", 0, strings.Repeat("a", 200)) == matched {
		t.Error("matched")
	}
	if wild(strings.Repeat("**/a", 20)+"/b", 0, strings.Repeat("a/", 40)+"c") == matched {
		t.Error("matched")
	}
}
