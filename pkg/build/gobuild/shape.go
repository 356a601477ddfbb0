package gobuild

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build/internal/inputs"
)

// Shape returns what a file says about which files there are: for Go its
// package, constraints, imports and what it embeds; for the files that fix
// versions all of them. A file that is not Go says nothing.
func (l *lister) Shape(path string, content []byte) string {
	switch filepath.Ext(path) {
	case ".go":
		return goShape(content)
	case ".dockerignore":
		return string(content)
	case ".mod", ".sum", ".work", ".txt", "":
		if name := filepath.Base(path); name == "go.mod" || name == "go.sum" || name == "go.work" || name == "go.work.sum" || name == "modules.txt" || name == "env" || name == "Dockerfile" {
			return string(content)
		}
	}
	return ""
}

func goShape(content []byte) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", content, parser.ImportsOnly|parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return string(content) // the go command will say what is wrong with it
	}
	shape := []string{f.Name.Name}
	for _, group := range f.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//go:build") || strings.HasPrefix(comment.Text, "// +build") {
				shape = append(shape, comment.Text)
			}
		}
	}
	for _, spec := range f.Imports {
		shape = append(shape, spec.Path.Value)
	}
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "//go:embed") {
			shape = append(shape, strings.TrimSpace(line))
		}
	}
	slices.Sort(shape)
	return strings.Join(shape, "\n")
}

// Relevant reports whether the go command would look at a file of a package,
// or may embed one.
func (l *lister) Relevant(dir inputs.Dir, name string, isDir bool) bool {
	switch {
	case dir.Kind == embedDir:
		return name != ".git"
	case dir.Loose:
		return besideRelevant(dir, name, isDir)
	}
	switch filepath.Ext(name) {
	case ".go":
		return !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".")
	case ".s", ".S", ".h", ".syso":
		return true
	}
	return false
}
