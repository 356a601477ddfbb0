package bounded_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"zr/pkg/bounded"
)

func refused(t *testing.T, name, text, says string, line int) {
	t.Helper()
	_, _, err := bounded.Documents([]byte(text))
	var p *bounded.Problem
	if !errors.As(err, &p) || !strings.Contains(p.Text, says) || p.Line != line {
		t.Errorf("%s: %v, want %q on line %d", name, err, says, line)
	}
}

func TestDocumentsThatHoldTooMuchAreRefused(t *testing.T) {
	var aliases strings.Builder
	aliases.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&aliases, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	refused(t, "aliases of aliases", aliases.String(), "aliases expanded", 6)
	merges := strings.NewReplacer("[x, x, x, x, x, x, x, x, x, x]", "{k: "+strings.Repeat("y", 100)+"}", ": &", ": &", "[", "{<<: [", "]", "]}").Replace(aliases.String())
	refused(t, "merges of merges", merges, "aliases expanded", 6)
	refused(t, "one long text many times", "a: &a "+strings.Repeat("x", 1<<20)+"\nb: ["+strings.Repeat("*a, ", 20)+"]\n", "16 MiB of text", 2)
	refused(t, "an alias to itself", "a: &a [*a]\n", "part of", 1)
	refused(t, "a deep list", strings.Repeat("[", 300)+strings.Repeat("]", 300), "200 levels", 1)
	deep := "a: &a " + strings.Repeat("[", 150) + strings.Repeat("]", 150) + "\n"
	refused(t, "a deep list in a deep list", deep+"b: "+strings.Repeat("[", 100)+"*a"+strings.Repeat("]", 100), "200 levels", 2)
	refused(t, "a wide list", "a: ["+strings.Repeat("x,", 1<<20)+"]", "keys and values", 0)
	refused(t, "many documents", strings.Repeat("---\na: [b, b, b, b, b, b, b, b]\n", 30_000), "keys and values", 0)
}

func TestDocumentsOfAnyUseAreRead(t *testing.T) {
	script := "data: {js: \"" + strings.Repeat("f(a,b),", 20_000) + "\"}\n" // in a ConfigMap
	for name, text := range map[string]string{"anchors": "a: &a {b: c}\nd: {<<: *a}\n---\ne: f\n", "a script": script, "nothing": ""} {
		if _, _, err := bounded.Documents([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	docs, nodes, err := bounded.Documents([]byte("a: &a {b: c}\nd: *a\n---\ne: f\n"))
	if err != nil || len(docs) != 2 || nodes != 14 {
		t.Errorf("%d documents of %d nodes, %v", len(docs), nodes, err)
	}
	if docs, _, err := bounded.Documents([]byte("a: b\n---\na: [\n")); err == nil || len(docs) != 1 {
		t.Errorf("no YAML: %d documents, %v", len(docs), err)
	}
}

func TestKeysThatAreThereTwiceAreFound(t *testing.T) {
	docs, _, err := bounded.Documents([]byte("a: 1\nb:\n  c: 2\n  d: 3\n  c: 4\na: 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range bounded.Twice(docs[0]) {
		lines = append(lines, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Text))
	}
	want := "5:3 key \"c\" is there already, on line 3\n6:1 key \"a\" is there already, on line 1"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
