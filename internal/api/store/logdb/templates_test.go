package logdb

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// templatesOf packs the templates of lines of one level.
func templatesOf(level int16, lines ...string) []byte {
	var t templates
	for _, l := range lines {
		t.add([]byte(l), level)
	}
	return t.bytes()
}

func may(t *testing.T, packed []byte, levels int32, expressions ...string) bool {
	t.Helper()
	m, err := newTemplateMatchers(expressions)
	if err != nil {
		t.Fatal(err)
	}
	found, err := m.mayMatch(packed, levels, new([]byte))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTemplates(t *testing.T) {
	packed := templatesOf(levelError, "order 17 of user-a7 failed: status=500", "order 23 of user-b9 failed: status=500", "id 7f3a, v1 é", "done in 31ms", "done in 45ms")
	for expression, want := range map[string]bool{
		`order \d\d `: true, `order 99`: true, `order 123`: false, `order x`: false, `user-[a-f]\d`: true, `user-z`: false,
		`status=500`: true, `status=404`: false, `status=4\d\d`: false, // the same in each line
		`(?i)ORDER`: true, `\b17\b`: true, `\b\d{3}\b`: true, `\b\d{4}\b`: false, `q\dz\d`: false, `id 7f3a`: true, `id 7f3b`: false, `v1 é$`: true, `v2`: false,
		`\d\dms`: true, `\d{3}ms`: false, `\ds`: false,
	} {
		if got := may(t, packed, ^0, expression); got != want {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
	named := templatesOf(levelError, "by x7K2q.", "by a9B4z.") // of a random name each character may be any
	if !may(t, named, ^0, `by z9z9z\.`) || may(t, named, ^0, `by z9z9\.`) {
		t.Error("a random name is not any of its length")
	}
	if may(t, packed, 1<<levelWarning, `order`) {
		t.Error("a level that no line has")
	}
	if may(t, packed, ^0, `order`, `id`) {
		t.Error("two expressions that no line has both of")
	}
	if !may(t, templatesOf(levelError, "a", "b\x02c"), ^0, `z`) {
		t.Error("a line with a character that stands for others is left out")
	}
	var many []string
	for n := range mostTemplates + 1 {
		many = append(many, strings.Repeat("x", n))
	}
	if templatesOf(levelError, many...) != nil || templatesOf(levelError, many[1:]...) == nil {
		t.Error("lines without a form have templates, or those of one have none")
	}
	m, err := newTemplateMatchers([]string{`z`})
	if err != nil {
		t.Fatal(err)
	}
	for cut := range packed {
		if _, err := m.mayMatch(packed[:cut], ^0, new([]byte)); cut > 0 && !errors.Is(err, errBlock) {
			t.Fatalf("damaged templates: %v", err)
		}
	}
}

// TestTemplatesLeaveOutNoMatch tries expressions on random lines: where one matches, its
// templates say that it may.
func TestTemplatesLeaveOutNoMatch(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	words := []string{"GET", "user", "über", "x", "-", "=", " ", " ", ".", "\n", "0x", "_"}
	word := func() string {
		switch random.IntN(4) {
		case 0:
			return fmt.Sprint(random.IntN(300))
		case 1:
			return fmt.Sprintf("%x", random.IntN(1<<16))
		case 2:
			return string("aZ7fq9"[random.IntN(6)])
		}
		return words[random.IntN(len(words))]
	}
	expressions := []string{`\d\d`, `\b\d{2}\b`, `[a-f]\d`, `user.*\d`, `(?i)get`, `^\d`, `[^ ]$`, `q\d`, `9\B`, `ü`, `_\d+=`, `[[:upper:]]`, `a.f`, `(?s)x.+Z`, `0x[0-9a-f]{3}\b`, ``}
	left := 0
	for range 500 {
		var lines []string
		for range 1 + random.IntN(8) {
			var l strings.Builder
			for range random.IntN(12) {
				l.WriteString(word())
			}
			lines = append(lines, l.String())
		}
		packed := templatesOf(levelError, lines...)
		for _, e := range expressions {
			re := regexp.MustCompile(e)
			matches := false
			for _, l := range lines {
				matches = matches || re.MatchString(l)
			}
			switch maybe := may(t, packed, ^0, e); {
			case matches && !maybe:
				t.Fatalf("%s: left out of %q", e, lines)
			case !maybe:
				left++
			}
		}
	}
	if left == 0 {
		t.Error("nothing is left out")
	}
}
