package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"zr/pkg/cluster/doctor"
	"zr/pkg/cluster/engine"
	"zr/pkg/event"
	"zr/pkg/image"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look for what this machine lacks, and mend it",
		Description: `Checks the container engine, ports, disk, limits and tools that the environment
needs. With --fix it mends what it can: as root on Debian and Ubuntu it installs
podman where there is no engine. Exit code 1 where something is missing.

EXAMPLES:
   zr doctor
   sudo zr doctor --fix`,
		Flags: verbFlags(
			&cli.BoolFlag{Name: "fix", Usage: "mend what can be mended"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print only what is to be mended"},
		),
		Action: runDoctor,
	}
}

func runDoctor(c *cli.Context) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	talk, err := printer(c, c.App.ErrWriter)
	if err != nil {
		return err
	}
	defer talk.Close()
	return quietly(c, func(ctx context.Context, s *stack) error {
		if err := s.render(ctx); err != nil {
			return err
		}
		_, missing := s.provider.Find(ctx)
		needs, err := s.needs(missing != nil)
		if err != nil {
			return err
		}
		checks := doctor.Run(ctx, needs)
		if c.Bool("fix") {
			sink := event.Sink(talk)
			if asJSON {
				sink = event.Discard
			}
			if checks, err = doctor.Mend(ctx, needs, checks, sink); err != nil {
				return err
			}
		}
		if asJSON {
			return printReport(c.App.Writer, map[string]any{"checks": checks}, doctor.Err(checks))
		}
		printChecks(c.App.Writer, checks, c.Bool("quiet"))
		return doctor.Err(checks)
	})
}

func printChecks(w io.Writer, checks []doctor.Check, quiet bool) {
	for _, check := range checks {
		if quiet && (check.Status == doctor.OK || check.Status == doctor.Warn && check.Mend == nil) {
			continue
		}
		fmt.Fprintf(w, "%-4s  %s: %s\n", check.Status, check.Name, check.Detail)
		if check.Status != doctor.OK && check.Fix != "" {
			fmt.Fprintf(w, "      %s\n", check.Fix)
		}
	}
}

// preflight refuses to begin what this machine cannot finish. It is for runs
// that have to make or mend a cluster; one that answers needs no questions.
func (s *stack) preflight(ctx context.Context, create bool) error {
	needs, err := s.needs(create)
	if err != nil {
		return err
	}
	// The provider asked the engines a moment ago.
	if found, ok := s.provider.(interface{ Engine() engine.Engine }); ok {
		needs.Found = found.Engine()
	}
	checks := doctor.Run(ctx, needs)
	for _, check := range checks {
		if check.Status == doctor.Warn && check.Mend != nil { // what zr gets around, it says itself
			s.sink.Emit(event.Notice{Text: check.Name + ": " + check.Detail, Hint: check.Fix})
		}
	}
	return doctor.Err(checks)
}

// needs is what the environment wants of this machine. Ports are only looked
// at while there is no cluster that publishes them.
func (s *stack) needs(create bool) (doctor.Needs, error) {
	store, err := image.DefaultDir()
	if err != nil {
		return doctor.Needs{}, err
	}
	n := doctor.Needs{Lines: linesOf(s.cfg), Engine: s.local(), Prefer: engine.Preferred(), Watch: s.dev, Folders: []string{filepath.Dir(store)}, Sources: []string{s.cfg.File}}
	for _, tool := range kinds.Tools(s.builds) {
		n.Tools = append(n.Tools, doctor.Tool(tool))
	}
	if !create || !s.local() {
		return n, nil
	}
	ports, err := s.publishPorts()
	if err != nil {
		return doctor.Needs{}, err
	}
	for _, p := range ports {
		n.Ports = append(n.Ports, doctor.Port{Service: p.name, Host: p.host})
	}
	return n, nil
}
