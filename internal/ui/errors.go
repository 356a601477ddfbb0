package ui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"zr/pkg/event"
	"zr/pkg/fault"
)

// PrintError writes the last words of a run that failed: each of the errors,
// and under it what can be done about it.
//
//	zr: building image "api": go build ./cmd/api: exit status 1
//	  hint: ...
func PrintError(w io.Writer, err error) {
	if err == nil {
		return
	}
	p := noColour()
	if isTerminal(w) && detect(w, os.Getenv) == TTY {
		p = newPalette()
	}
	if fault.Code(err) == fault.Interrupted {
		fmt.Fprintln(w, p.yellow("zr:")+" interrupted")
		return
	}
	for _, s := range statements(err, "") {
		lines := strings.Split(strings.TrimRight(plainText(s.text), "\n"), "\n")
		fmt.Fprintln(w, p.red("zr:")+" "+lines[0])
		for _, l := range lines[1:] {
			fmt.Fprintln(w, strings.TrimRight("    "+strings.TrimPrefix(l, "    "), " "))
		}
		if s.hint != "" {
			for i, l := range strings.Split(plainText(s.hint), "\n") {
				if i == 0 {
					l = "hint: " + l
				}
				fmt.Fprintln(w, "  "+l)
			}
		}
	}
}

// Failures returns an error as events: one for each thing that it tells.
func Failures(err error) []event.Failure {
	var all []event.Failure
	code := fault.Code(err)
	if code == fault.Interrupted {
		return append(all, event.Failure{Error: "interrupted", Code: code})
	}
	for _, s := range statements(err, "") {
		all = append(all, event.Failure{Error: plainText(s.text), Hint: plainText(s.hint), Code: code})
	}
	return all
}

// statement is an error to be told by itself.
type statement struct{ text, hint string }

// statements takes joined errors apart. A hint about all of them stands under
// the last one.
func statements(err error, hint string) []statement {
	var f *fault.Fault
	if asFault, ok := any(err).(*fault.Fault); ok { // only the outermost: what wraps it has more to say
		f = asFault
		if hint == "" {
			hint = f.Hint
		}
		return statements(f.Err, hint)
	}
	if parts := joined(err); len(parts) > 0 {
		var all []statement
		for _, part := range parts {
			all = append(all, statements(part, "")...)
		}
		if last := &all[len(all)-1]; last.hint == "" {
			last.hint = hint
		}
		return all
	}
	if hint == "" {
		hint = fault.HintOf(err)
	}
	return []statement{{err.Error(), hint}}
}

// joined returns the parts of an errors.Join, which adds no words of its own.
func joined(err error) []error {
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	parts := j.Unwrap()
	if errors.Join(parts...).Error() != err.Error() {
		return nil
	}
	return parts
}
