// Package executable says why a file cannot be started as a program, in the words that
// the kernel lacks: it answers "no such file or directory" for a program that is there
// when what loads it is not.
package executable

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// machines are the machines of ELF files, by Go's names of the architectures that
// nodes of Kubernetes have.
var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "arm": elf.EM_ARM, "386": elf.EM_386,
	"ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390, "riscv64": elf.EM_RISCV,
}

// Loader returns the path of what the kernel starts in order to run a file: the
// dynamic linker of a program, or the interpreter of a script. It is "" for a program
// that needs none, and for a file that is neither.
func Loader(file io.ReaderAt) string {
	if program, err := elf.NewFile(file); err == nil {
		for _, part := range program.Progs {
			if part.Type == elf.PT_INTERP {
				path, _ := io.ReadAll(part.Open())
				return string(bytes.TrimRight(path, "\x00"))
			}
		}
		return ""
	}
	line, _ := bufio.NewReader(io.NewSectionReader(file, 0, 256)).ReadString('\n')
	if words := strings.Fields(strings.TrimPrefix(line, "#!")); strings.HasPrefix(line, "#!") && len(words) > 0 {
		return words[0]
	}
	return ""
}

// Why returns why the start of the program at path ended with err: itself, or what is
// known beyond it of a file that is there.
func Why(path string, err error) error {
	file, unread := os.Open(path)
	if unread != nil {
		return err
	}
	defer file.Close()
	switch loader := Loader(file); {
	case errors.Is(err, os.ErrNotExist) && loader != "":
		return fmt.Errorf("it needs %s, which is not in the image: link it statically, or have an image below it that has that", loader)
	case errors.Is(err, syscall.ENOEXEC):
		if architecture := Architecture(file); architecture != "" {
			return fmt.Errorf("it is a program for %s, and this node is of %s", architecture, runtime.GOARCH)
		}
		return errors.New("it is neither a program of Linux nor a script with a first line such as #!/bin/sh")
	}
	return err
}

// Architecture returns that of a program of Linux, by Go's name; "" for a file that is
// none, or is for another machine than nodes of Kubernetes have.
func Architecture(file io.ReaderAt) string {
	program, err := elf.NewFile(file)
	if err != nil {
		return ""
	}
	for name, machine := range machines {
		if program.Machine == machine {
			return name
		}
	}
	return ""
}
