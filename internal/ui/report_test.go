package ui

import (
	"bytes"
	"fmt"
	"testing"
)

func TestAReportDoesNotCommandTheTerminal(t *testing.T) {
	var out bytes.Buffer
	n, err := fmt.Fprintf(Report(&out), "web\t%s\n", "1\x1b]0;title\x07 → 2\x1b[2J\u009b31m\u202e3\r")
	if got := out.String(); err != nil || n == 0 || got != "web\t1 → 231m3\n" {
		t.Errorf("%d bytes, %v: %q", n, err, got)
	}
}
