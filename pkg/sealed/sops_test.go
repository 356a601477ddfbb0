package sealed_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zr/pkg/fault"
	"zr/pkg/sealed"
)

// fakeSops is a program of the name that does what a script says.
func fakeSops(t *testing.T, script string) (path string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sops"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return filepath.Join(t.TempDir(), "staging.sops.yaml")
}

func openSops(t *testing.T, path string) (string, error) {
	t.Helper()
	text, err := sealed.Open(t.Context(), path, "config/secrets/"+filepath.Base(path), nil)
	return string(text), err
}

// sops is asked for lines of a file of lines and for JSON of the others, with the key of
// zr where it has none of its own.
func TestSopsIsAsked(t *testing.T) {
	noKeys(t)
	path := fakeSops(t, `echo "$@"; echo "$SOPS_AGE_KEY/$SOPS_AGE_KEY_FILE"; pwd; echo told >&2`)
	t.Setenv("ZR_AGE_KEY", "of-zr")
	t.Setenv("ZR_AGE_KEY_FILE", "/of/zr")
	t.Setenv("SOPS_AGE_KEY_FILE", "/of/sops")
	for _, c := range []struct{ path, format string }{{path, "json"}, {strings.TrimSuffix(path, "yaml") + "env", "dotenv"}} {
		want := "--decrypt --output-type " + c.format + " " + c.path + "\nof-zr//of/sops\n" + filepath.Dir(path) + "\n"
		if got, err := openSops(t, c.path); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

// Why sops fails is told in its words, with what to do and the exit code of a
// configuration.
func TestSopsFails(t *testing.T) {
	noKeys(t)
	for what, c := range map[string]struct{ script, said, hint string }{
		"no key":       {"echo no master key >&2; exit 128", "opening config/secrets/staging.sops.yaml: sops: exit status 128: no master key", "ZR_AGE_KEY"},
		"a wrong MAC":  {"echo MAC mismatch >&2; exit 51", "sops: exit status 51: MAC mismatch", "take it back from git"},
		"a plain file": {"echo metadata not found >&2; exit 1", "sops: exit status 1: metadata not found", "sops encrypt"},
		"no words":     {"echo A=correct-horse; exit 7", "sops: exit status 7", ""},
		"too much":     {"head -c 1048577 /dev/zero", "too large", ""},
	} {
		text, err := openSops(t, fakeSops(t, c.script))
		if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), c.said) || !strings.Contains(fault.HintOf(err), c.hint) || text != "" || strings.Contains(err.Error(), "correct-horse") {
			t.Errorf("%s: %d letters, %v (hint %q)", what, len(text), err, fault.HintOf(err))
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := openSops(t, "/p/staging.sops.env"); fault.Code(err) != fault.Usage || !errors.Is(err, exec.ErrNotFound) || !strings.Contains(fault.HintOf(err), "install it") {
		t.Errorf("not installed: %v (hint %q)", err, fault.HintOf(err))
	}
}

// What sops started ends with it when the run does: the key's helper may wait for ever.
func TestSopsIsCancelled(t *testing.T) {
	noKeys(t)
	mark := filepath.Join(t.TempDir(), "started")
	path := fakeSops(t, `trap "" TERM; sleep 1000 & echo $! >`+mark+`.new; mv `+mark+`.new `+mark+`; wait; wait`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := sealed.Open(ctx, path, "it", nil)
		ended <- err
	}()
	deadline := time.After(time.Minute)
	for {
		if _, err := os.Stat(mark); err == nil {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("it has ended: %v", err)
		case <-deadline:
			t.Fatal("it was not started")
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) || fault.Code(err) != fault.Interrupted {
			t.Errorf("got %v", err)
		}
	case <-deadline:
		t.Fatal("it goes on")
	}
}

// TestRealSops seals files with the program itself, where it is installed.
func TestRealSops(t *testing.T) {
	program, err := exec.LookPath("sops")
	if err != nil {
		t.Skip("sops is not installed")
	}
	noKeys(t)
	key := newKey(t)
	t.Setenv("ZR_AGE_KEY", key.String())
	dir := t.TempDir()
	seal := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		if out, err := exec.CommandContext(t.Context(), program, "--encrypt", "--in-place", "--age", key.Recipient().String(), path).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return path
	}
	if got, err := openSops(t, seal("a.sops.env", "# of the team\nA=correct # horse\nB='two'\n")); err != nil || got != "# of the team\nA=correct # horse\nB='two'\n" {
		t.Errorf("of lines: %q, %v", got, err)
	}
	yaml := seal("a.sops.yaml", "A: \"correct # horse\"\nN: 5\n")
	if got, err := openSops(t, yaml); err != nil || strings.Join(strings.Fields(got), "") != `{"A":"correct#horse","N":5}` {
		t.Errorf("of YAML: %q, %v", got, err)
	}
	if got, err := openSops(t, seal("a.sops.json", `{"A": "1"}`)); err != nil || strings.Join(strings.Fields(got), "") != `{"A":"1"}` {
		t.Errorf("of JSON: %q, %v", got, err)
	}
	text, err := os.ReadFile(yaml)
	if err != nil {
		t.Fatal(err)
	}
	write(t, yaml, strings.Replace(string(text), "data:", "data:AAAA", 1))
	if got, err := openSops(t, yaml); err == nil || !strings.Contains(fault.HintOf(err), "take it back from git") {
		t.Errorf("of a file that was changed: %q, %v (hint %q)", got, err, fault.HintOf(err))
	}
	t.Setenv("ZR_AGE_KEY", newKey(t).String())
	if got, err := openSops(t, filepath.Join(dir, "a.sops.json")); err == nil || !strings.Contains(fault.HintOf(err), "ZR_AGE_KEY") {
		t.Errorf("by another key: %q, %v (hint %q)", got, err, fault.HintOf(err))
	}
	plain := filepath.Join(dir, "plain.sops.yaml")
	write(t, plain, "A: correct-horse\n")
	if got, err := openSops(t, plain); err == nil || strings.Contains(err.Error(), "correct-horse") {
		t.Errorf("of a plain file: %q, %v", got, err)
	}
}
