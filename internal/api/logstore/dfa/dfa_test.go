package dfa_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"zr/internal/api/logstore/dfa"
)

// TestMatch asks the regexp package about the same texts.
func TestMatch(t *testing.T) {
	expressions := []string{
		``, `a`, `abc`, `^`, `$`, `^a`, `a$`, `^a$`, `^$`, `a*`, `a+b`, `(a|b)*c`, `[^a]`, `.`, `.b.`, `(?s)a.b`, `(?m)^b`, `(?m)a$`, `\bab\b`, `\Bb`, `\Aab`, `c\z`,
		`(?i)ÄB`, `ä+`, `[ä-ü]b`, `\d{2}`, `\s\w`, `(?:ab){2,3}`, `a{0,2}b{3}`, `(?U)a+?b`, `x|y|ab|`, `[[:^alpha:]]a`, `\pL\b`, `(a|ab)(c|bcd)(d*)`, `[^\n]*b$`, `\x{10ffff}`,
		`(a?){12}a{12}`, `(.*)(.*)(.*)b`,
	}
	random := rand.New(rand.NewPCG(5, 6))
	alphabet := []rune("aabbcd 1_\näÜ\U0010ffff")
	texts := []string{"", "\n", "ab", "a\nb"}
	for range 600 {
		var b strings.Builder
		for range random.IntN(14) {
			b.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		texts = append(texts, b.String())
	}
	for _, expression := range expressions {
		m, err := dfa.New(expression)
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile(expression)
		for _, text := range texts {
			if got, want := m.Match([]byte(text)), re.MatchString(text); got != want {
				t.Errorf("%q of %q: got %v, want %v", expression, text, got, want)
			}
		}
	}
	if _, err := dfa.New(`(`); err == nil {
		t.Error("half an expression is one")
	}
}

// TestManyStates matches with an expression that has more states than are kept.
func TestManyStates(t *testing.T) {
	const expression = `a[ab]{14}c`
	m, err := dfa.New(expression)
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(expression)
	random := rand.New(rand.NewPCG(7, 8))
	matches := 0
	for range 300 {
		var b strings.Builder
		for range 500 {
			b.WriteByte("aaaabbbbc"[random.IntN(9)])
		}
		text := b.String()
		got, want := m.Match([]byte(text)), re.MatchString(text)
		if got != want {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
		if got {
			matches++
		}
	}
	if matches == 0 || matches == 300 {
		t.Errorf("%d of 300 match: the texts say nothing", matches)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(`\ba(b|c)*$`, "abc ab")
	f.Fuzz(func(t *testing.T, expression, text string) {
		re, err := regexp.Compile(expression)
		m, other := dfa.New(expression)
		if (err == nil) != (other == nil) {
			t.Fatalf("%v, %v", err, other)
		}
		if err == nil && m.Match([]byte(text)) != re.MatchString(text) {
			t.Fatalf("%q of %q: not %v", expression, text, re.MatchString(text))
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	line := []byte(`request method=GET path=/api/v1/orders/73213 status=200 ms=123 trace=0a9b8c7d6e5f40 user=user-1234`)
	for _, expression := range []string{`q\dz\d`, `[0-9]{9}`, `(?i)nobody`} {
		b.Run(expression, func(b *testing.B) {
			m, err := dfa.New(expression)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				m.Match(line)
			}
		})
	}
}
