package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/fault"
)

const (
	sealedName = "config/secrets/dev.env.age"
	plainName  = "config/secrets/dev.env"
)

// The secrets of a sealed file are those of its example until it is opened, which nobody
// runs with and nobody is warned of.
func TestASealedFileIsOpened(t *testing.T) {
	c := load(t, map[string]string{"config/dev.yaml": good, sealedName: "sealed", plainName + ".example": example})
	if !c.SecretsSealed() || c.SecretsMissing || c.SecretsUnknown() || c.SecretsFile() != sealedName || c.MockSecrets() != nil {
		t.Errorf("sealed: %+v", c)
	}
	if c.Secrets["DB_PASSWORD"] != "mock-password" {
		t.Errorf("the keys of the example are not known: %v", c.SecretKeys())
	}
	if err := c.Unseal([]byte("sealed"), []byte("A=mock-a\nB=\"two\nlines\"\n")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"A": "mock-a", "B": "two\nlines"}, c.Secrets); diff != "" || c.SecretsSealed() {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A"}, c.MockSecrets()); diff != "" {
		t.Error(diff)
	}

	next := load(t, map[string]string{"config/dev.yaml": good, sealedName: "sealed"})
	if !next.SecretsUnknown() {
		t.Error("without an example its keys are known")
	}
	if next.UnsealAs(c, []byte("sealed")) {
		t.Error("another project's file is taken for the same")
	}
	next.Sealed = c.Sealed
	if next.UnsealAs(c, []byte("sealed anew")) || !next.SecretsSealed() {
		t.Error("a file that has changed is taken for the same")
	}
	if !next.UnsealAs(c, []byte("sealed")) || next.Secrets["A"] != "mock-a" || next.SecretsSealed() {
		t.Errorf("the same file is not known: %v", next.SecretKeys())
	}
}

// What is wrong in a sealed file has its line, and no value.
func TestNonsenseInASealedFile(t *testing.T) {
	c := load(t, map[string]string{"config/dev.yaml": good, sealedName: "sealed"})
	err := c.Unseal(nil, []byte("A=1\ncorrect horse\n"))
	var problems Problems
	if !errors.As(err, &problems) || fault.Code(err) != fault.Usage || len(problems) != 1 {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(Problem{File: sealedName, Line: 2, Column: 1, Text: "not a KEY=value line"}, problems[0]); diff != "" {
		t.Error(diff)
	}
	if c.Secrets != nil || !c.SecretsSealed() {
		t.Error("they are opened all the same")
	}
}

func TestOfTwoFilesNeitherCounts(t *testing.T) {
	_, err := Load(project(t, map[string]string{"config/dev.yaml": good, sealedName: "sealed", plainName: "A=1\n"}), "dev")
	var problems Problems
	if !errors.As(err, &problems) || fault.Code(err) != fault.Usage {
		t.Fatalf("got %v", err)
	}
	want := Problem{File: plainName, Text: "the secrets are in " + sealedName + " as well", Hint: "keep one of the two"}
	if diff := cmp.Diff(Problems{want}, problems); diff != "" {
		t.Error(diff)
	}
}

func load(t *testing.T, files map[string]string) *Config {
	t.Helper()
	c, err := Load(project(t, files), "dev")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A file of sops is lines, or a table whose values are texts as they stand.
func TestAFileOfSopsIsOpened(t *testing.T) {
	for _, c := range []struct{ end, text string }{
		{"env", "A=a # comment\nB=\"${A}\"\n"}, {"yaml", `{"A": "a", "B": "a"}`}, {"json", "{\"A\": \"a\",\n\"B\": \"a\"}"},
	} {
		name := "config/secrets/dev.sops." + c.end
		got := load(t, map[string]string{"config/dev.yaml": good, name: "sealed"})
		if err := got.Unseal([]byte("sealed"), []byte(c.text)); err != nil || got.SecretsFile() != name {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(map[string]string{"A": "a", "B": "a"}, got.Secrets); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	c := load(t, map[string]string{"config/dev.yaml": good, "config/secrets/dev.sops.yaml": "sealed"})
	if err := c.Unseal(nil, []byte(`{"A": "a # ${B}", "N": 1e3, "T": true, "L": "two\nlines"}`)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"A": "a # ${B}", "N": "1e3", "T": "true", "L": "two\nlines"}, c.Secrets); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		`{"A": {"B": "correct-horse"}}`: `the value of "A" is no text`,
		`{"A": ["correct-horse"]}`:      `the value of "A" is no text`,
		`{"A": null}`:                   `the value of "A" is no text`,
		`{"a b": "correct-horse"}`:      `"a b" cannot be a key`,
		`["correct-horse"]`:             "no table",
		`correct-horse`:                 "no table",
	} {
		if err := c.Unseal(nil, []byte(text)); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
