package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"zr/pkg/config"
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
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(c.App.Writer, changes)
				}
				printChanges(c.App.Writer, changes)
				return nil
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
	cfg, err := loadConfig(c, config.Load)
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
	if _, err := s.build(ctx); err != nil {
		return nil, err
	}
	if err := s.pin(ctx); err != nil {
		return nil, err
	}
	return s.deployer.Diff(ctx, s.rendered)
}

func printChanges(w io.Writer, changes *deploy.ChangeSet) {
	for _, warning := range changes.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	for _, change := range changes.Changed() {
		fmt.Fprintf(w, "%s %s %s\n", change.Action, change.Kind, change.Name)
		for _, field := range change.Fields {
			fmt.Fprintf(w, "    %s: %s → %s\n", field.Path, value(field.Old), value(field.New))
		}
	}
	fmt.Fprintln(w, summary(changes))
}

// summary counts a change set: "2 created, 1 configured, 30 unchanged".
func summary(changes *deploy.ChangeSet) string {
	var parts []string
	for _, action := range []deploy.Action{deploy.Created, deploy.Configured, deploy.Replaced, deploy.Pruned, deploy.Unchanged} {
		if n := changes.Count(action); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, action))
		}
	}
	return strings.Join(parts, ", ")
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
