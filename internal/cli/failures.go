package cli

import (
	"io"
	"slices"
	"strings"

	"zr/internal/ui"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// jsonAsked says whether a command line asks for JSON, also one that the library
// refuses.
func jsonAsked(args []string) bool {
	asked := false
	for i, arg := range args {
		if arg == "--" {
			break
		}
		name, value, inOne := strings.Cut(arg, "=")
		if !slices.Contains([]string{"-o", "--o", "-output", "--output"}, name) {
			continue
		}
		if !inOne && i+1 < len(args) {
			value = args[i+1]
		}
		asked = value == "json"
	}
	return asked
}

// told is an error that the report on the standard output has.
type told struct{ error }

func (t told) Unwrap() error { return t.error }

// tellJSON writes the last words of a run to the standard output, an object a
// line.
func tellJSON(w io.Writer, err error, interrupted bool) {
	if err == nil {
		return
	}
	failures := ui.Failures(err)
	if interrupted {
		failures = []event.Failure{{Error: "interrupted", Code: fault.Interrupted}}
	}
	p := ui.New(w, ui.JSON)
	defer p.Close()
	for _, f := range failures {
		p.Emit(f)
	}
}

// printReport writes a report that may tell of an error, which is returned.
func printReport(w io.Writer, report map[string]any, err error) error {
	if err != nil {
		report["errors"] = ui.Failures(err)
	}
	if printErr := printJSON(w, report); printErr != nil || err == nil {
		return printErr
	}
	return told{err}
}
