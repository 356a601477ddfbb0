package gobuild

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/build/internal/proc"
	"zr/pkg/fault"
)

var (
	// place is the file at the beginning of a complaint.
	position = regexp.MustCompile(`^[^\s:]+\.go:`)
	// searched is where the go command looked for a package that is not there.
	searched = regexp.MustCompile(`(is not in std) \(.*\)`)
	// excluded is a package of which no file is for this platform, without cgo.
	excluded = regexp.MustCompile(`build constraints exclude all Go files in (.+)`)
)

// clean drops the lines that name packages or downloads from what the go command
// said. Its complaints name files: here from the project's root.
func (t toolchain) clean(words string) string {
	below, err := filepath.Rel(t.root, t.dir)
	var lines []string
	for line := range strings.Lines(words) {
		if strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "go: downloading ") || isPackage(strings.TrimSuffix(line, "\n")) {
			continue
		}
		if file := position.FindString(line); err == nil && below != "." && file != "" && !path.IsAbs(file) {
			line = path.Join(filepath.ToSlash(below), file) + strings.TrimPrefix(line, file)
		}
		line = searched.ReplaceAllString(line, "$1")
		if m := excluded.FindStringSubmatch(line); m != nil {
			if file := cgoFile(m[1]); file != "" {
				line = strings.Replace(line, m[0], fmt.Sprintf("the package needs cgo; zr builds without it (%s imports \"C\")", file), 1)
			}
		}
		lines = append(lines, strings.ReplaceAll(line, t.root+"/", ""))
	}
	return strings.TrimSpace(strings.Join(lines, ""))
}

// cgoFile returns a Go file of a folder that imports "C", or "".
func cgoFile(dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "*.go")) // the pattern is well-formed
	for _, file := range files {
		content, err := bounded.ReadFile(file, bounded.Large)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, content, parser.ImportsOnly)
		if err == nil && slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"C"` }) {
			return file
		}
	}
	return ""
}

// reasons are the complaints of the go command that a user can do something
// about which it does not say itself. The first that fits counts.
var reasons = []struct {
	said *regexp.Regexp
	hint string
}{
	{regexp.MustCompile(`needs cgo; zr builds without it`),
		"use a package in pure Go, or have this service built by a Dockerfile: `build: {dockerfile: …}`"},
	{regexp.MustCompile(`import cycle not allowed`),
		"move what the packages need of each other into one that imports neither"},
	{regexp.MustCompile(`go\.mod file not found|cannot find main module`),
		"`go mod init NAME` makes a module of the folder that it is run in"},
	{regexp.MustCompile(`dial tcp|no such host|i/o timeout|TLS handshake|lookup disabled|unrecognized import path|reading http.*: (4|5)\d\d |invalid version`),
		"the go command gets modules by way of GOPROXY, GOPRIVATE and the network of this shell: `go mod download` there shows the same"},
	{regexp.MustCompile(`no required module provides package|missing go\.sum entry|updates to go\.mod needed|inconsistent vendoring`),
		"`go mod tidy` adds what go.mod and go.sum lack"},
	{regexp.MustCompile(`is not in std`),
		"no folder is there for it: a path in this module is the module's name in go.mod and the folder behind it; one of another module begins with a domain"},
}

// reason adds to a failure of the go command what can be done about it.
func reason(err error) error {
	var failed *proc.Error
	if !errors.As(err, &failed) {
		return err
	}
	for _, r := range reasons {
		if r.said.MatchString(failed.Words) {
			return fault.Hint(err, r.hint)
		}
	}
	return err
}

// notMain says that a package is no program, from what `go list` says of it.
func (t toolchain) notMain(p goPackage) error {
	if p.Name == "main" || p.Name == "" { // a package without a file for the platform has no name
		return nil
	}
	name := p.ImportPath
	if rel, err := filepath.Rel(t.root, p.Dir); err == nil && filepath.IsLocal(rel) {
		name = filepath.ToSlash(rel)
	}
	return fault.WithCode(fmt.Errorf("%s is not a main package: it is package %s", cmp.Or(name, t.spec), p.Name), fault.Usage,
		"the service's `build: {go: …}` names the folder whose files say `package main`")
}
