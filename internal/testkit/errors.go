package testkit

import (
	"strings"
	"testing"
)

// ErrorSays fails a test whose error is nil or lacks one of the parts.
func ErrorSays(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}
