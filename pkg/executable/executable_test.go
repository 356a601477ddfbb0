package executable

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// program is a file of Linux that a loader has to load.
func program(t *testing.T, machine elf.Machine, loader string) []byte {
	t.Helper()
	var file bytes.Buffer
	const headers = 64 + 56
	path := append([]byte(loader), 0)
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_DYN), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	part := elf.Prog64{Type: uint32(elf.PT_INTERP), Off: headers, Filesz: uint64(len(path)), Memsz: uint64(len(path)), Align: 1}
	for _, piece := range []any{header, part, path} {
		if err := binary.Write(&file, binary.LittleEndian, piece); err != nil {
			t.Fatal(err)
		}
	}
	return file.Bytes()
}

func TestLoader(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"a program with a linker": {program(t, elf.EM_X86_64, "/lib/ld.so"), "/lib/ld.so"},
		"a script":                {[]byte("#! /usr/bin/env node\n"), "/usr/bin/env"},
		"a script of no line end": {[]byte("#!/bin/sh"), "/bin/sh"},
		"a text":                  {[]byte("hello\n"), ""},
		"nothing":                 {nil, ""},
		"half a program":          {program(t, elf.EM_X86_64, "/lib/ld.so")[:80], ""},
		"an empty first line":     {[]byte("#!\n"), ""},
	} {
		if got := Loader(bytes.NewReader(c.file)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(own)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := Architecture(file); runtime.GOOS == "linux" && got != runtime.GOARCH {
		t.Errorf("this program is for %q", got)
	}
}

// TestWhy starts files that the kernel refuses.
func TestWhy(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel's answers are those of Linux")
	}
	foreign := elf.EM_S390
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"no linker":       {program(t, machines[runtime.GOARCH], "/no/ld.so"), "it needs /no/ld.so, which is not in the image"},
		"no interpreter":  {[]byte("#!/no/such/node\n"), "it needs /no/such/node, which is not in the image"},
		"another machine": {program(t, foreign, "/no/ld.so"), "it is a program for s390x, and this node is of " + runtime.GOARCH},
		"a text":          {[]byte("hello\n"), "it is neither a program of Linux nor a script"},
	} {
		path := filepath.Join(t.TempDir(), "server")
		if err := os.WriteFile(path, c.file, 0o755); err != nil {
			t.Fatal(err)
		}
		err := exec.Command(path).Start()
		if err == nil {
			t.Fatalf("%s: it is started", name)
		}
		if got := Why(path, err); !strings.HasPrefix(got.Error(), c.want) {
			t.Errorf("%s: %v is explained as %q, want %q", name, err, got, c.want)
		}
	}
	if err := Why("/no/such/file", syscall.ENOENT); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a file that is not there: %v", err)
	}
}
