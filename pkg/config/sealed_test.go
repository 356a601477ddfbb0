package config

import (
	"errors"
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
