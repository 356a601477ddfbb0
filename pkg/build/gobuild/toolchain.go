package gobuild

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"zr/pkg/build"
	"zr/pkg/build/internal/proc"
	"zr/pkg/fault"
)

// goFlags are the flags of every compile: no paths and no version control in
// the binary, so that it is the same in every folder, and no debug information
// made that the linker would only strip (19 % of the compile time of a program
// with client-go).
const goFlags = "-trimpath -buildvcs=false -gcflags=all=-dwarf=false"

// linkFlags leave symbol table and debug information out.
const linkFlags = "-s -w"

// toolchain is the go command, as one request uses it.
type toolchain struct {
	root    string
	pkg     string
	goos    string
	goarch  string
	variant string
	flags   []string // of the spec, without -ldflags
	ldflags string
}

func newToolchain(r build.Request) toolchain {
	os, arch, _ := strings.Cut(r.Platform, "/")
	arch, variant, _ := strings.Cut(arch, "/")
	t := toolchain{root: r.Root, pkg: r.Spec.Go, goos: os, goarch: arch, variant: variant, ldflags: linkFlags}
	for i := 0; i < len(r.Spec.Flags); i++ {
		flag := r.Spec.Flags[i]
		name, value, joined := strings.Cut(flag, "=")
		if name != "-ldflags" && name != "--ldflags" {
			t.flags = append(t.flags, flag)
			continue
		}
		if !joined && i+1 < len(r.Spec.Flags) {
			i++
			value = r.Spec.Flags[i]
		}
		t.ldflags += " " + value
	}
	return t
}

// env is that of the user without what would make the result another one on
// another machine.
func (t toolchain) env() []string {
	settled := []string{
		"CGO_ENABLED=0", "GOFLAGS=" + goFlags, "GOOS=" + t.goos, "GOARCH=" + t.goarch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOARM=" + t.arm(), "GOEXPERIMENT=", "GODEBUG=",
	}
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.ContainsFunc(settled, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	})
	return append(env, settled...)
}

func (t toolchain) arm() string {
	if version := strings.TrimPrefix(t.variant, "v"); version != "" && t.goarch == "arm" {
		return version
	}
	return "7"
}

// path returns the file of the go command.
func (t toolchain) path() (string, error) {
	file, err := exec.LookPath("go")
	if err != nil {
		return "", fault.Hint(fmt.Errorf("finding the Go toolchain: %w", err), "install Go and put its bin folder into PATH")
	}
	return file, nil
}

// run runs a go command in the project's folder.
func (t toolchain) run(ctx context.Context, args ...string) ([]byte, error) {
	return proc.Command{Args: append([]string{"go"}, args...), Dir: t.root, Env: t.env(), Clean: clean}.Run(ctx)
}

// compile builds the program.
func (t toolchain) compile(ctx context.Context, out string) error {
	if _, err := t.path(); err != nil {
		return err
	}
	args := append([]string{"build", "-o", out, "-ldflags=" + t.ldflags}, t.flags...)
	_, err := t.run(ctx, append(args, t.pkg)...)
	return err
}

// clean drops the lines that name packages from what the compiler said: the
// files do that.
func clean(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "# ") {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, ""))
}
