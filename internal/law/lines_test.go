package law

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// typed are command lines that somebody could paste, and that would then be about
// whatever cluster or environment the terminal is set to.
var typed = regexp.MustCompile(`\bkubectl (-|annotate|apply|create|delete|describe|edit|exec|get|label|logs|patch|rollout|scale)|\bzr (up|down|dev|logs|status|diff)\b`)

// TestCommandLinesAreWrittenInOnePlace looks for them in the texts of the stages,
// which have pkg/cmdline for that.
func TestCommandLinesAreWrittenInOnePlace(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../../pkg", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && typed.MatchString(text.Value) && !strings.Contains(text.Value, "--kubeconfig") {
				t.Errorf("%s: a command line that names no cluster and no environment: %s", set.Position(text.Pos()), text.Value)
			}
			return true
		})
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files were read: %v", files, err)
	}
	for _, line := range []string{"kubectl -n x delete pod y", "run zr up again"} {
		if !typed.MatchString(line) {
			t.Errorf("%q is not found", line)
		}
	}
}
