package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/internal/ui"
)

func diffCommand() *cli.Command {
	return &cli.Command{
		Name:  "diff",
		Usage: "show what `zr up` would change in the cluster",
		Description: `Builds what changed, since images are pinned by digest, and asks the cluster. It
changes nothing there. Values of Secrets are masked.

EXAMPLES:
   zr diff
   zr diff -o json | jq '.changes[] | select(.action != "unchanged")'`,
		Flags: verbFlags(),
		Action: func(c *cli.Context) error {
			return report(c, func(ctx context.Context, s *stack.Stack, asJSON bool) error {
				changes, err := s.Diff(ctx)
				if changes == nil {
					return err
				}
				if asJSON {
					return errors.Join(printJSON(c.App.Writer, changes), err)
				}
				printChanges(ui.Report(c.App.Writer), changes)
				return err
			})
		},
	}
}

func printChanges(w io.Writer, changes *stack.ChangeSet) {
	for _, warning := range changes.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	for _, d := range changes.Diverged {
		fmt.Fprintf(w, "diverged %s %s, changed by %s\n", d.Kind, d.Name, d.Source)
		for _, field := range d.Fields {
			cluster, file := values(field.Old, field.New)
			fmt.Fprintf(w, "    %s: the cluster has %s, %s has %s\n", stack.Entry(field.Path), cluster, d.File, file)
		}
	}
	for _, change := range changes.Changes {
		for _, a := range change.Added {
			added, _ := values(a.Value, nil)
			fmt.Fprintf(w, "left %s %s\n    %s: %s, which %s added\n", change.Kind, change.Name, a.Path, added, a.By())
		}
	}
	for _, change := range changes.Changed() {
		fmt.Fprintf(w, "%s %s %s\n", change.Action, change.Kind, change.Name)
		for _, field := range change.Fields {
			old, new := values(field.Old, field.New)
			fmt.Fprintf(w, "    %s: %s → %s\n", field.Path, old, new)
		}
	}
	fmt.Fprintln(w, stack.Summary(changes))
}

// valueLimit is how much of a value is printed, in runes: some lines of a
// terminal, of which a change has two. -o json has all of it. Of two long
// values, valueContext is shown of what they begin with in common.
const (
	valueLimit   = 400
	valueContext = 40
)

// values are the values before and after as they are printed: where one is
// long, from where they differ.
func values(before, after any) (string, string) {
	old, new := []rune(value(before)), []rune(value(after))
	if max(len(old), len(new)) <= valueLimit {
		return string(old), string(new)
	}
	same := 0
	for same < min(len(old), len(new)) && old[same] == new[same] {
		same++
	}
	return cut(old, same), cut(new, same)
}

func cut(text []rune, same int) string {
	if len(text) <= valueLimit {
		return string(text)
	}
	from := max(0, min(same-valueContext, len(text)-valueLimit))
	shown := string(text[from : from+valueLimit])
	if from > 0 {
		shown = "…" + shown
	}
	if from+valueLimit < len(text) {
		shown += "…"
	}
	return fmt.Sprintf("%s (of %d characters)", shown, len(text))
}

func value(v any) string {
	if v == nil {
		return "(none)"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
