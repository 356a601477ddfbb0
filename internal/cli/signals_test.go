package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"testing"
)

// TestAnOutputThatNobodyReadsEndsTheRun closes the other end of the pipe before
// zr writes to it.
func TestAnOutputThatNobodyReadsEndsTheRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var stderr bytes.Buffer
	c := exec.Command(self, "config", "schema")
	c.Env, c.Stdout, c.Stderr = append(os.Environ(), asZR+"=1"), w, &stderr
	var exit *exec.ExitError
	if err := c.Run(); !errors.As(err, &exit) || exit.ExitCode() != brokenPipe || stderr.Len() > 0 {
		t.Errorf("%v\n%s", err, stderr.String())
	}
}
