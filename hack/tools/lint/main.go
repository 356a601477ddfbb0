// Command lint runs analyzers for faults that go vet and staticcheck leave: errors
// nobody looks at, comparisons and assertions that miss a wrapped error, bodies of
// answers that stay open.
package main

import (
	"go/ast"
	"go/token"

	"github.com/kisielk/errcheck/errcheck"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"github.com/timakin/bodyclose/passes/bodyclose"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/multichecker"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
	"golang.org/x/tools/go/ast/astutil"
)

func main() {
	run := errcheck.Analyzer.Run
	errcheck.Analyzer.Run = func(pass *analysis.Pass) (any, error) {
		report := pass.Report
		pass.Report = func(d analysis.Diagnostic) {
			if !closes(pass, d.Pos) {
				report(d)
			}
		}
		return run(pass)
	}
	multichecker.Main(errcheck.Analyzer, errorlint.NewAnalyzer(), bodyclose.Analyzer, nilness.Analyzer, unusedwrite.Analyzer)
}

// closes reports whether the call around pos closes something. What was written
// is checked where it matters; a reader's Close has nothing to say.
func closes(pass *analysis.Pass, pos token.Pos) bool {
	for _, f := range pass.Files {
		if pos < f.FileStart || pos > f.FileEnd {
			continue
		}
		path, _ := astutil.PathEnclosingInterval(f, pos, pos)
		for _, n := range path {
			if call, ok := n.(*ast.CallExpr); ok {
				sel, ok := call.Fun.(*ast.SelectorExpr)
				return ok && sel.Sel.Name == "Close"
			}
		}
	}
	return false
}
