package law

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The most lines of a file, and of a function that runs. A test may be longer: it tells
// a story from the beginning to the end, or has a table.
const (
	maxFile     = 500
	maxFunction = 80
)

// unread are folders and files of the project that nobody wrote.
var unread = []string{".git", "node_modules", ".next", "bin", "frontend/lib/api/schema.ts", "frontend/next-env.d.ts"}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	const root = "../.."
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if slices.Contains(unread, d.Name()) || slices.Contains(unread, filepath.ToSlash(name)) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !slices.Contains([]string{".go", ".ts", ".tsx", ".mjs", ".css"}, filepath.Ext(path)) {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if lines := bytes.Count(source, []byte("\n")); lines > maxFile {
			t.Errorf("%s has %d lines, of %d at most", name, lines, maxFile)
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			longFunctions(t, name, source)
		}
		return nil
	})
	if err != nil || files < 1000 {
		t.Errorf("%d files were looked at: %v", files, err)
	}
}

func longFunctions(t *testing.T, name string, source []byte) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; lines > maxFunction {
				t.Errorf("%s: %s has %d lines, of %d at most", set.Position(f.Pos()), f.Name.Name, lines, maxFunction)
			}
		}
	}
}
