package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"zr/pkg/deploy"
	"zr/pkg/event"
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
			asJSON, err := wantsJSON(c)
			if err != nil {
				return err
			}
			return quietly(c, func(ctx context.Context, s *stack) error {
				changes, err := s.diff(ctx)
				if changes == nil {
					return err
				}
				if asJSON {
					return errors.Join(printJSON(c.App.Writer, changes), err)
				}
				printChanges(c.App.Writer, changes)
				return err
			})
		},
	}
}

// quietly runs f on the environment that the flags name, for verbs whose
// output is a report and not a run. Steps go to the standard error.
func quietly(c *cli.Context, f func(context.Context, *stack) error) error {
	if err := noArguments(c); err != nil {
		return err
	}
	return onStack(c, event.Discard, f)
}

func onStack(c *cli.Context, sink event.Sink, f func(context.Context, *stack) error) error {
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	s, err := newStack(cfg, sink)
	if err != nil {
		return err
	}
	defer s.close()
	return f(c.Context, s)
}

func (s *stack) diff(ctx context.Context) (*deploy.ChangeSet, error) {
	if err := s.find(ctx); err != nil {
		return nil, err
	}
	if err := s.planPorts(ctx); err != nil {
		return nil, err
	}
	if _, err := s.build(ctx); err != nil {
		return nil, err
	}
	if err := s.pin(ctx, false); err != nil {
		return nil, err
	}
	return s.deployer.Diff(ctx, s.rendered)
}

func printChanges(w io.Writer, changes *deploy.ChangeSet) {
	for _, warning := range changes.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	for _, change := range changes.Changes {
		for _, a := range change.Added {
			added, _ := values(a.Value, nil)
			fmt.Fprintf(w, "left %s %s\n    %s: %s, which %s added\n", change.Kind, change.Name, a.Path, added, a.Manager)
		}
	}
	for _, change := range changes.Changed() {
		fmt.Fprintf(w, "%s %s %s\n", change.Action, change.Kind, change.Name)
		for _, field := range change.Fields {
			old, new := values(field.Old, field.New)
			fmt.Fprintf(w, "    %s: %s → %s\n", field.Path, old, new)
		}
	}
	fmt.Fprintln(w, summary(changes))
}

// summary counts a change set: "2 created, 1 configured, 30 unchanged".
func summary(changes *deploy.ChangeSet) string {
	var parts []string
	for _, action := range []deploy.Action{deploy.Created, deploy.Configured, deploy.Replaced, deploy.Pruned, deploy.Refused, deploy.Unchanged} {
		if n := changes.Count(action); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, action))
		}
	}
	return strings.Join(parts, ", ")
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
