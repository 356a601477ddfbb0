package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSecretsAreReadAsTheirToolsReadThem has what people write into .env files.
func TestSecretsAreReadAsTheirToolsReadThem(t *testing.T) {
	values, problems := parseEnv([]byte(strings.Join([]string{
		`# comment`,
		`PLAIN=a b  # comment`,
		`HASH=a#b`,
		`EMPTY= # comment`,
		`SINGLE='it # is ${PLAIN} \n'   # comment`,
		`DOUBLE="a \"b\" # \$x\n${PLAIN}"` + "\r",
		`  `,
		`export EXPORTED="x"`,
		`JSON='{"a": "b"}'`,
		`URL=postgres://u:p@h/${PLAIN}?x="y"`,
		`KEY="-----BEGIN-----` + "\r",
		`AB=C==`,
		`-----END-----"`,
		`AFTER=x`,
	}, "\n")), "f")
	want := map[string]string{
		"PLAIN": "a b", "HASH": "a#b", "EMPTY": "", "SINGLE": `it # is ${PLAIN} \n`, "DOUBLE": "a \"b\" # $x\na b", "EXPORTED": "x",
		"JSON": `{"a": "b"}`, "URL": `postgres://u:p@h/a b?x="y"`, "KEY": "-----BEGIN-----\nAB=C==\n-----END-----", "AFTER": "x",
	}
	if diff := cmp.Diff(want, values); diff != "" || len(problems) > 0 {
		t.Errorf("%v\n%s", problems, diff)
	}
}

func TestWhatIsWrongInASecretsFileHasItsLine(t *testing.T) {
	_, problems := parseEnv([]byte("A='open\nB=x\nC=\"x\" y\nD=\"a\n b${X}\"\n"), "f")
	want := `f:1:3: the ' of "A" is never closed (a value that begins with a quote ends with one)
f:3:1: something stands behind the closing " of "C" (put a blank before a comment, and a \ before a " that belongs to the value)
f:5:3: ${X} is not set above this line (did you mean "A"?)`
	if got := problems.Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
