package livesync

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"

	"zr/pkg/agentspec/wire"
	"zr/pkg/bounded"
)

// programs keeps the content of the programs that the container was sent, in
// files without a name: nothing is left over however zr ends. The originals
// cannot be used, as the next build writes over them. It is safe for
// concurrent use.
type programs struct {
	mu    sync.Mutex
	files map[wire.Sum]*os.File
	order []wire.Sum // oldest first
	held  []wire.Sum // not to be forgotten
}

// programsKept is how many versions are kept at least: the current one and the one
// that a rollback returns to, of two programs.
const programsKept = 4

func newPrograms() *programs { return &programs{files: map[wire.Sum]*os.File{}} }

// keep copies a file, if it still has the given sum. What goes wrong is not
// reported: a version that is not kept costs the next one a patch, no more.
func (p *programs) keep(sum wire.Sum, path string) {
	p.mu.Lock()
	_, ok := p.files[sum]
	p.mu.Unlock()
	if ok {
		return
	}
	src, err := bounded.Open(path)
	if err != nil {
		return
	}
	defer src.Close()
	dst, err := os.CreateTemp("", "zr-livesync-*")
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.files == nil || p.files[sum] != nil {
		dst.Close()
		return
	}
	p.files[sum] = dst
	p.order = append(p.order, sum)
	p.forget()
}

// forget lets go of the oldest versions that nobody holds.
func (p *programs) forget() {
	for i := 0; i < len(p.order) && len(p.order) > programsKept; {
		sum := p.order[i]
		if slices.Contains(p.held, sum) {
			i++
			continue
		}
		p.files[sum].Close()
		delete(p.files, sum)
		p.order = slices.Delete(p.order, i, i+1)
	}
}

// hold keeps the versions with these sums, however many others come.
func (p *programs) hold(sums []wire.Sum) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = sums
	p.forget()
}

// look returns the content of a kept version and where it can be read while
// that is kept.
func (p *programs) look(sum wire.Sum) (content, string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.files[sum]
	if f == nil {
		return content{}, "", false
	}
	c, err := hashFile(f)
	return c, fmt.Sprintf("/dev/fd/%d", f.Fd()), err == nil && c.Sum == sum
}

// open maps the content of a kept version into memory, until the function is
// called. It is nil where the version was not kept.
func (p *programs) open(sum wire.Sum) ([]byte, func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.files[sum]
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

func (p *programs) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.files {
		f.Close()
	}
	p.files = nil
}
