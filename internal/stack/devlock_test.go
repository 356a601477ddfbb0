package stack

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/event"
)

// TestOneZrAtATimeChangesAnEnvironment has dev, up and down begin beside each
// other, in every order.
func TestOneZrAtATimeChangesAnEnvironment(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	s := stackOf(t, testkit.Project("project: tiny\nservices: {web: {}}\n"))
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
	up := func() (func(), error) { return s.lockRun(t.Context(), "up") }
	dev := begun(s.lockDev)
	refused("a second dev", "`zr dev` runs already for tiny-dev, as "+pid, s.lockDev)
	refused("up beside dev", "`zr dev` runs for tiny-dev, as "+pid, up)
	s.cfg.Root += "/other" // another checkout
	refused("up of another checkout beside dev", "as "+pid+" in "+strings.TrimSuffix(s.cfg.Root, "/other"), up)
	s.cfg.Root = strings.TrimSuffix(s.cfg.Root, "/other")
	dev()
	first := begun(up)
	refused("dev beside up", "`zr up` is at work on tiny-dev, as "+pid, s.lockDev)
	waited := make(chan func(), 1)
	said := &testkit.Recorder{}
	second := &Stack{cfg: s.cfg, sink: said}
	go func() {
		unlock, _ := second.lockRun(t.Context(), "down") // the test's context ends no sooner
		waited <- unlock
	}()
	for len(said.Events()) == 0 {
		runtime.Gosched()
	}
	if n, ok := said.Events()[0].(event.Notice); !ok || !strings.Contains(n.Text, "`zr up` is at work on tiny-dev, as "+pid+"; waiting for it") {
		t.Errorf("said is %v", said.Events())
	}
	select {
	case <-waited:
		t.Error("down began beside up")
	default:
	}
	first()
	(<-waited)()
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
