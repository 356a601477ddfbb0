package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zr/pkg/cluster/statedir"
)

// privilegedTimeout is how long a privileged container may take to run. It
// takes half a second, or some on a busy machine.
const privilegedTimeout = 30 * time.Second

// bootID changes with each boot of a Linux machine.
const bootID = "/proc/sys/kernel/random/boot_id"

// tryPrivileged returns why e cannot start privileged containers, which the
// nodes of kind are, or nil. What an engine can depends on its capabilities, its
// runtime and the machine's policies, so it starts one, of an image that zr
// makes itself. That it did is remembered under identity, which is to change
// with all of these; that it could not is asked anew each time, since it may
// have been fixed. arch is the engine's own word for its architecture.
func (e Engine) tryPrivileged(ctx context.Context, identity, arch string) error {
	program := endingProgram(arch)
	if program == nil {
		return nil // kind will say
	}
	dir, err := statedir.Dir()
	if err != nil {
		return err
	}
	memory := filepath.Join(dir, "privileged-"+e.Name)
	if known, err := os.ReadFile(memory); err == nil && string(known) == identity {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, privilegedTimeout)
	defer cancel()
	if err := e.runPrivileged(ctx, program); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("none ran within %s", privilegedTimeout)
		}
		return fmt.Errorf("it cannot start privileged containers: %w", err)
	}
	return statedir.Write(memory, []byte(identity))
}

// runPrivileged runs a program in a privileged container of an image that
// holds nothing else, and removes both.
func (e Engine) runPrivileged(ctx context.Context, program []byte) error {
	var image bytes.Buffer
	files := tar.NewWriter(&image)
	if err := files.WriteHeader(&tar.Header{Name: "end", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return err
	}
	if _, err := files.Write(program); err != nil {
		return err
	}
	if err := files.Close(); err != nil {
		return err
	}
	var id bytes.Buffer
	if err := e.Run(ctx, &image, &id, "import", "-"); err != nil {
		return reason(err)
	}
	made := strings.TrimSpace(id.String())
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
		defer cancel()
		_ = e.Run(ctx, nil, nil, "rmi", made) // some hundred bytes, if it stays
	}()
	return reason(e.Run(ctx, nil, nil, "run", "--rm", "--privileged", "--network", "none", made, "/end"))
}

// reason is the line of an engine's error that has the cause. docker puts an
// advice below it.
func reason(err error) error {
	var failed *CommandError
	if errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &failed) || failed.Stderr == "" {
		return err
	}
	line, _, _ := strings.Cut(failed.Stderr, "\n")
	return errors.New(strings.TrimPrefix(line, "docker: "))
}

// endingProgram returns a Linux program that ends at once with code 0, or nil
// for an architecture that it is not known for: an ELF file of one segment, as
// elf(5) describes it, with the system call exit.
func endingProgram(arch string) []byte {
	machines := map[string]struct {
		number uint16 // e_machine
		code   []byte // exit(0)
	}{
		"x86_64": {62, []byte{
			0x31, 0xff, // xor edi, edi
			0xb8, 0x3c, 0, 0, 0, // mov eax, 60
			0x0f, 0x05, // syscall
		}},
		"aarch64": {183, []byte{
			0x00, 0x00, 0x80, 0xd2, // mov x0, #0
			0xa8, 0x0b, 0x80, 0xd2, // mov x8, #93
			0x01, 0x00, 0x00, 0xd4, // svc #0
		}},
	}
	m, ok := machines[arch]
	if !ok {
		return nil
	}
	const (
		address    = 0x400000
		headers    = 64 + 56 // of the file, and of its one segment
		executable = 2
		load       = 1
		readRun    = 4 | 1
		page       = 0x10000 // the largest of both architectures
	)
	size := uint64(headers + len(m.code))
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01")
	b.Write(make([]byte, 9))
	for _, field := range []any{
		uint16(executable), m.number, uint32(1), uint64(address + headers), uint64(64), uint64(0),
		uint32(0), uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		uint32(load), uint32(readRun), uint64(0), uint64(address), uint64(address), size, size, uint64(page),
	} {
		_ = binary.Write(&b, binary.LittleEndian, field) // a Buffer takes all
	}
	b.Write(m.code)
	return b.Bytes()
}
