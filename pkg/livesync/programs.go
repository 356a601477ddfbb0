package livesync

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"

	"zr/internal/agent/wire"
	"zr/pkg/bounded"
)

// vault keeps the content of the programs that the container was sent, in
// files without a name: nothing is left over however zr ends. The originals
// cannot be used, as the next build writes over them. It is safe for
// concurrent use.
type vault struct {
	dir string

	mu    sync.Mutex
	files map[wire.Sum]*os.File
	order []wire.Sum // oldest first
	held  []wire.Sum // not to be forgotten
}

// vaultFiles is how many versions are kept at least: the current one and the one
// that a rollback returns to, of two programs.
const vaultFiles = 4

func newVault(dir string) *vault { return &vault{dir: dir, files: map[wire.Sum]*os.File{}} }

// keep copies a file, if it still has the given sum. What goes wrong is not
// reported: a version that is not kept costs the next one a patch, no more.
func (v *vault) keep(sum wire.Sum, path string) {
	v.mu.Lock()
	_, ok := v.files[sum]
	v.mu.Unlock()
	if ok {
		return
	}
	src, err := bounded.Open(path)
	if err != nil {
		return
	}
	defer src.Close()
	dst, err := os.CreateTemp(v.dir, "zr-livesync-*")
	if err != nil {
		return
	}
	_ = os.Remove(dst.Name())
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		return
	}
	if c, err := hashFile(dst); err != nil || c.Sum != sum {
		dst.Close()
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.files == nil || v.files[sum] != nil {
		dst.Close()
		return
	}
	v.files[sum] = dst
	v.order = append(v.order, sum)
	v.forget()
}

// forget lets go of the oldest versions that nobody holds.
func (v *vault) forget() {
	for i := 0; i < len(v.order) && len(v.order) > vaultFiles; {
		sum := v.order[i]
		if slices.Contains(v.held, sum) {
			i++
			continue
		}
		v.files[sum].Close()
		delete(v.files, sum)
		v.order = slices.Delete(v.order, i, i+1)
	}
}

// hold keeps the versions with these sums, however many others come.
func (v *vault) hold(sums []wire.Sum) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = sums
	v.forget()
}

// look returns the content of a kept version and where it can be read while
// that is kept.
func (v *vault) look(sum wire.Sum) (content, string, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.files[sum]
	if f == nil {
		return content{}, "", false
	}
	c, err := hashFile(f)
	return c, fmt.Sprintf("/dev/fd/%d", f.Fd()), err == nil && c.Sum == sum
}

// open maps the content of a kept version into memory, until the function is
// called. It is nil where the version was not kept.
func (v *vault) open(sum wire.Sum) ([]byte, func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.files[sum]
	if f == nil {
		return nil, func() {}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, func() {}
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, func() {}
	}
	return b, func() { _ = syscall.Munmap(b) }
}

func (v *vault) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.files {
		f.Close()
	}
	v.files = nil
}
