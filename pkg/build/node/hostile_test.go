package node

import (
	"archive/tar"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/build/internal/buildtest"
	"zr/pkg/event"
)

// TestLargeFilesAreStreamed builds a service with files that memory could not
// hold twice, in a child of its own.
func TestLargeFilesAreStreamed(t *testing.T) {
	const child, size = "ZR_TEST_CHILD", 300 << 20
	if os.Getenv(child) == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), child+"=1")
		testkit.ForgetPeak()
		if out, err := c.CombinedOutput(); err != nil || strings.Contains(string(out), "SKIP") {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := testkit.PeakMemory(t, c); got > testkit.MaxMemory {
			t.Errorf("files of %d MiB took %d MB of memory", size>>20, got/1e6)
		}
		return
	}
	s := copyFixture(t, "plain")
	s.write("model.bin", "")
	if err := os.Truncate(filepath.Join(s.root, "web", "model.bin"), size); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []build.Mode{build.Release, build.Dev} { // the second over the work copy of the first
		found := int64(0)
		buildtest.Walk(t, s.build(mode).Image, func(h *tar.Header, _ io.Reader) {
			if filepath.Base(h.Name) == "model.bin" {
				found = h.Size
			}
		})
		if found != size {
			t.Errorf("the %s image has a file of %d bytes", mode, found)
		}
	}
}

// TestPipesAndDevicesAreLeftOut: where one were opened, the test would not end.
func TestPipesAndDevicesAreLeftOut(t *testing.T) {
	s := copyFixture(t, "plain")
	in := func(name string) string { return filepath.Join(s.root, "web", name) }
	if err := syscall.Mkfifo(in("pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "zrtest-") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for link, target := range map[string]string{"zero": "/dev/zero", "to-pipe": "pipe", "socket": filepath.Join(dir, "s"), ".gitignore": "/dev/zero", ".zrignore": "pipe"} {
		_ = os.Remove(in(link))
		if err := os.Symlink(target, in(link)); err != nil {
			t.Fatal(err)
		}
	}
	told := &testkit.Recorder{}
	s.deps.Sink = told
	result := s.build(build.Dev)
	buildtest.Walk(t, result.Image, func(h *tar.Header, _ io.Reader) {
		switch filepath.Base(h.Name) {
		case "pipe", "zero", "to-pipe", "socket":
			t.Errorf("%s is in the image", h.Name)
		}
	})
	var notices []string
	for _, e := range told.Events() {
		if n, ok := e.(event.Notice); ok {
			notices = append(notices, n.Text)
		}
	}
	for _, name := range []string{`"web/pipe"`, `"web/zero"`, `"web/to-pipe"`, `"web/socket"`} {
		if !strings.Contains(strings.Join(notices, "\n"), name) {
			t.Errorf("nothing was said about %s: %q", name, notices)
		}
	}
}
