package cli

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestOneZrAtATimeChangesAnEnvironment has dev, up and down begin beside each
// other, in every order.
func TestOneZrAtATimeChangesAnEnvironment(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	s := stackOf(t, withOverlay("project: tiny\nservices: {web: {}}\n"))
	pid := "process " + strconv.Itoa(os.Getpid())
	refused := func(what string, words string, begin func() (func(), error)) {
		t.Helper()
		unlock, err := begin()
		if err == nil {
			unlock()
			t.Fatalf("%s began", what)
		}
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v does not say %q", what, err, words)
		}
	}
	begun := func(begin func() (func(), error)) func() {
		t.Helper()
		unlock, err := begin()
		if err != nil {
			t.Fatal(err)
		}
		return unlock
	}
	dev := begun(s.lockDev)
	refused("a second dev", "runs already for tiny-dev, as "+pid, s.lockDev)
	refused("up beside dev", "`zr dev` runs for tiny-dev, as "+pid, s.besideDev)
	dev()
	up, down := begun(s.besideDev), begun(s.besideDev)
	refused("dev beside up and down", "`zr up` or `zr down` is at work on tiny-dev", s.lockDev)
	up()
	refused("dev beside down", "`zr up` or `zr down` is at work on tiny-dev", s.lockDev)
	down()
	begun(s.lockDev)()
	if err := forgetDevLock(s.set()); err != nil {
		t.Error(err)
	}
	path, err := devLockPath(s.set())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file of an environment that is gone is there: %v", err)
	}
}
