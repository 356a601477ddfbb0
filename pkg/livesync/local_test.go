package livesync

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"zr/internal/testkit"
)

// TestAFileWhoseTimeWasSetBack was changed a moment ago all the same: a second
// change within the same tick of the clock leaves its stamp as it is.
func TestAFileWhoseTimeWasSetBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part.js")
	testkit.WriteFile(t, path, "new")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	want, err := hash(path)
	if err != nil {
		t.Fatal(err)
	}
	stale := want
	stale.Sum[0]++ // what the file held before, in the same tick
	l := newLocals()
	l.known[path] = stale
	if got, err := l.look(path); err != nil || got.Sum != want.Sum {
		t.Errorf("the file is taken for what it held before: %v", err)
	}
}
