package bounded_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"zr/pkg/bounded"
)

// TestNothingButRegularFilesIsOpened reads what never ends, or never begins.
func TestNothingButRegularFilesIsOpened(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(in("fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for link, target := range map[string]string{"zero": "/dev/zero", "tty": "/dev/tty", "to-fifo": "fifo", "folder": "."} {
		if err := os.Symlink(target, in(link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"fifo", "socket", "zero", "tty", "to-fifo", "folder"} {
		if _, err := bounded.ReadFile(in(name), bounded.Text); !errors.Is(err, bounded.ErrNotRegular) {
			t.Errorf("reading %s: %v", name, err)
		}
	}
}

func TestNoMoreThanTheLimitIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	if content, err := bounded.ReadFile(path, 5); err != nil || string(content) != "12345" {
		t.Errorf("a file of the limit: %q, %v", content, err)
	}
	if _, err := bounded.ReadFile(path, 4); !errors.Is(err, bounded.ErrTooLarge) {
		t.Errorf("a file above the limit: %v", err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	if _, err := bounded.ReadFile(path, bounded.Large); !errors.Is(err, bounded.ErrTooLarge) {
		t.Errorf("a sparse file of 1 TiB: %v", err)
	}
	if _, err := bounded.ReadFile(path+"-not", 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
