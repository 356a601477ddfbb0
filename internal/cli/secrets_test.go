package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// child runs zr in a folder, with something on its standard input.
func child(t *testing.T, dir, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	var out, errOut bytes.Buffer
	c.Dir, c.Stdin, c.Stdout, c.Stderr = dir, strings.NewReader(stdin), &out, &errOut
	c.Env = append(os.Environ(), asZR+"=1", "XDG_CONFIG_HOME="+filepath.Join(dir, "home"), "ZR_AGE_KEY=", "ZR_AGE_KEY_FILE=", "SOPS_AGE_KEY=", "SOPS_AGE_KEY_FILE=")
	err = c.Run()
	return out.String(), errOut.String(), err
}

// A user without age seals the secrets of a project for himself, and changes one.
func TestSecretsAreSealedByTheProgram(t *testing.T) {
	dir := t.TempDir()
	for path, text := range map[string]string{"config/staging.yaml": tiny, "config/secrets/staging.env": "A=correct-horse\n"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recipient, told, err := child(t, dir, "", "secrets", "keygen")
	if err != nil || !strings.HasPrefix(recipient, "age1") || strings.Count(recipient, "\n") != 1 || !strings.Contains(told, "home/sops/age/keys.txt") {
		t.Fatalf("%v: %q, %q", err, recipient, told)
	}
	out, told, err := child(t, dir, "", "secrets", "seal", "--env", "staging", "--to", strings.TrimSpace(recipient))
	if want := "config/secrets/staging.env.age is written, for 1; config/secrets/staging.env is removed\n"; err != nil || out != want {
		t.Fatalf("%v: %q, %q", err, out, told)
	}
	out, told, err = child(t, dir, "new-value\n", "secrets", "set", "--env", "staging", "-o", "json", "B")
	var report struct {
		Sealing struct{ File string }
		Errors  []any
	}
	if jsonErr := json.Unmarshal([]byte(out), &report); err != nil || jsonErr != nil || report.Sealing.File != "config/secrets/staging.env.age" || strings.Contains(out+told, "new-value") {
		t.Fatalf("%v, %v: %q, %q", err, jsonErr, out, told)
	}
	if out, told, err = child(t, dir, "", "secrets", "unseal", "--env", "staging"); err != nil || !strings.Contains(out, "config/secrets/staging.env is written, for you alone") {
		t.Fatalf("%v: %q, %q", err, out, told)
	}
	text, err := os.ReadFile(filepath.Join(dir, "config/secrets/staging.env"))
	if err != nil || !strings.HasPrefix(string(text), "A=correct-horse\n") || !strings.Contains(string(text), "\nB=new-value\n") {
		t.Errorf("%v: it has %q", err, text)
	}
	if _, told, err = child(t, dir, "", "config", "validate", "--env", "staging"); err == nil || !strings.Contains(told, "the secrets are in config/secrets/staging.env.age as well") {
		t.Errorf("%v: %q", err, told)
	}
}

// Whenever zr is killed, what was sealed is there as it was or as it is to be, and what
// a writer has left behind is nothing that git takes.
func TestSealingThatIsKilled(t *testing.T) {
	dir := t.TempDir()
	for path, text := range map[string]string{"config/dev.yaml": tiny, "config/secrets/.gitignore": "*.env\n", "config/secrets/dev.env": "A=" + strings.Repeat("x", 200<<10) + "\n"} {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	recipient, told, err := child(t, dir, "", "secrets", "keygen")
	if err != nil {
		t.Fatalf("%v: %s", err, told)
	}
	if _, told, err = child(t, dir, "", "secrets", "seal", "--to", strings.TrimSpace(recipient)); err != nil {
		t.Fatalf("%v: %s", err, told)
	}
	for i := range 20 {
		for _, verb := range [][]string{{"set", "B"}, {"unseal"}, {"seal"}} {
			killed, stop := context.WithTimeout(t.Context(), time.Duration(5*i)*time.Millisecond)
			c := exec.CommandContext(killed, os.Args[0], append([]string{"secrets"}, verb...)...)
			c.Dir, c.Stdin = dir, strings.NewReader(fmt.Sprint("value", i))
			c.Env = append(os.Environ(), asZR+"=1", "XDG_CONFIG_HOME="+filepath.Join(dir, "home"))
			_ = c.Run() // killed or not
			stop()
			plain, err := os.ReadFile(filepath.Join(dir, "config/secrets/dev.env"))
			if errors.Is(err, os.ErrNotExist) {
				if _, told, err = child(t, dir, "", "secrets", "unseal"); err != nil {
					t.Fatalf("after %q was killed: %v: %s", verb, err, told)
				}
				plain, err = os.ReadFile(filepath.Join(dir, "config/secrets/dev.env"))
			}
			if err != nil || !strings.HasPrefix(string(plain), "A="+strings.Repeat("x", 200<<10)+"\n") {
				t.Fatalf("after %q was killed, %d bytes are there: %v", verb, len(plain), err)
			}
			if verb[0] != "unseal" {
				if _, told, err = child(t, dir, "", "secrets", "seal"); err != nil {
					t.Fatalf("after %q was killed: %v: %s", verb, err, told)
				}
			}
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "config/secrets"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, "config/secrets", e.Name()))
		if err != nil || bytes.Contains(text, []byte("xxxx")) && !strings.HasSuffix(e.Name(), ".env") {
			t.Errorf("git would take %s, %v", e.Name(), err)
		}
	}
}
