package watch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/fault"
)

// limitEnv makes this test program reach a limit for real: it is set where
// the program runs in a user namespace of its own.
const limitEnv = "ZR_TEST_INOTIFY_LIMIT"

// TestLimitsAreSaidWithTheirSysctl lowers the kernel's limits in a user
// namespace, where that harms nobody.
func TestLimitsAreSaidWithTheirSysctl(t *testing.T) {
	if os.Getenv(limitEnv) != "" {
		reachLimit(t)
		return
	}
	for sysctl, want := range map[string]string{
		"user.max_inotify_watches=3":   "sudo sysctl -w user.max_inotify_watches=524288, and for good: echo user.max_inotify_watches=524288 | sudo tee",
		"user.max_inotify_instances=0": "sudo sysctl -w user.max_inotify_instances=1024",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLimitsAreSaidWithTheirSysctl$", "-test.v")
		cmd.Env = append(os.Environ(), limitEnv+"="+sysctl)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.Contains(string(out), "cannot lower") {
			t.Skipf("no user namespaces here: %v %s", err, out)
		}
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%s\nwant %q", sysctl, err, out, want)
		}
	}
}

// reachLimit runs in the namespace and prints the hint.
func reachLimit(t *testing.T) {
	name, value, _ := strings.Cut(os.Getenv(limitEnv), "=")
	root := t.TempDir()
	for i := range 10 {
		must(t, os.Mkdir(filepath.Join(root, fmt.Sprint(i)), 0o755))
	}
	if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), []byte(value), 0); err != nil {
		fmt.Println("cannot lower the limit:", err)
		return
	}
	_, err := New(t.Context(), Options{Roots: []string{root}})
	if err == nil {
		t.Fatal("the limit was not reached")
	}
	fmt.Println(err, "\n", fault.HintOf(err))
}

// TestALimitThatIsReachedLaterIsSaidOnce adds folders after the limit.
func TestALimitThatIsReachedLaterIsSaidOnce(t *testing.T) {
	said := &notices{}
	w := &Watcher{sink: said, tree: &tree{}}
	tell := w.unwatched()
	tell(fmt.Errorf("watching %q: %w", "/p/a", syscall.ENOSPC))
	tell(fmt.Errorf("watching %q: %w", "/p/b", syscall.ENOSPC))
	if len(said.all) != 1 || !strings.Contains(said.text(), "/p/a") || !strings.Contains(said.text(), "sysctl") {
		t.Errorf("got %q", said.text())
	}
}

// TestAnOverflowIsFixed lets the kernel's queue run over for real: nobody
// reads it while more happens than it holds.
func TestAnOverflowIsFixed(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "before", "f"), "1")
	k, err := newKernel()
	must(t, err)
	w, err := newWatcher(Options{Roots: []string{root}}, k, k.Events, k.Errors)
	must(t, err)
	r := w.tree.roots[0]
	must(t, w.tree.add(r, r.real, w.tree.know))
	one, two := filepath.Join(root, "one"), filepath.Join(root, "two")
	testkit.WriteFile(t, one, "1")
	testkit.WriteFile(t, two, "2")
	for range 20_000 { // the queue holds 16,384, and merges equal neighbours only
		must(t, os.Chmod(one, 0o644))
		must(t, os.Chmod(two, 0o644))
	}
	must(t, os.Rename(filepath.Join(root, "before"), filepath.Join(root, "after"))) // unseen
	go w.drain()
	batches := running(t, w)
	for b := range batches {
		if b.Rescan {
			break
		}
	}
	testkit.WriteFile(t, filepath.Join(root, "after", "f"), "2")
	until(t, batches, root, "after/f")
}
