package gobuild

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	root    string // of the project
	dir     string // where the command runs: the folder of the package's module
	spec    string // the package as the config names it, from root
	pkg     string // the same from dir
	goos    string
	goarch  string
	variant string
	flags   []string // of the spec, without -ldflags
	ldflags string
}

func newToolchain(r build.Request) toolchain {
	os, arch, _ := strings.Cut(r.Platform, "/")
	arch, variant, _ := strings.Cut(arch, "/")
	t := toolchain{root: r.Root, spec: r.Spec.Go, goos: os, goarch: arch, variant: variant, ldflags: linkFlags}
	t.dir, t.pkg = moduleOf(r.Root, r.Spec.Go)
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

// moduleOf returns the folder of the module that a package belongs to, and the
// package as it is named there: a project may have modules below its root, and
// none at it.
func moduleOf(root, pkg string) (dir, name string) {
	if !strings.HasPrefix(pkg, ".") {
		return root, pkg // an import path
	}
	folder := filepath.Join(root, pkg)
	for dir = folder; within(dir, root) && dir != root; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		if rel, err := filepath.Rel(dir, folder); err == nil && rel != "." {
			return dir, "./" + filepath.ToSlash(rel)
		}
		return dir, "."
	}
	return root, pkg
}

// env is that of the user without what would make the result another one on
// another machine.
func (t toolchain) env() []string {
	pinned := []string{
		"CGO_ENABLED=0", "GOFLAGS=" + goFlags, "GOOS=" + t.goos, "GOARCH=" + t.goarch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOARM=" + t.arm(), "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off",
		// The go command names files by it: a project may be reached by a symlink.
		"PWD=" + t.dir,
	}
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.ContainsFunc(pinned, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	})
	return append(env, pinned...)
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

// command is a go command in the module's folder.
func (t toolchain) command(args ...string) proc.Command {
	return proc.Command{Args: append([]string{"go"}, args...), Dir: t.dir, Env: t.env(), Clean: t.clean}
}

// compile builds the program. progress is told how many packages were taken
// up, and the last of them: those that the build cache has are not among them.
func (t toolchain) compile(ctx context.Context, out string, progress func(packages int, last string)) error {
	if _, err := t.path(); err != nil {
		return err
	}
	args := append([]string{"build", "-v", "-o", out, "-ldflags=" + t.ldflags}, t.flags...)
	build := t.command(append(args, t.pkg)...)
	build.Name = "go build " + t.spec
	if progress != nil {
		packages := 0
		build.Line = func(line string) {
			if isPackage(line) {
				packages++
				progress(packages, line)
			}
		}
	}
	return reason(t.attended(ctx, build.Run))
}

// isPackage reports whether a line of `go build -v` names a package that it
// compiles now. What the compiler complains about has blanks in it.
func isPackage(line string) bool { return line != "" && !strings.ContainsAny(line, " \t:") }
