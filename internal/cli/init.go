package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/internal/stack/proposal"
	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/fault"
)

func initCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "make a project of a folder, or a service of a folder of a project",
		ArgsUsage: "[FOLDER ...]",
		Description: `Writes config/<env>.yaml and an overlay with a Deployment and a Service for each
folder, or adds them to those that are there: Go programs, Node.js services and
Dockerfiles. Without a FOLDER, what looks like a service is looked for. No file is
written over, and all is written or nothing.

EXAMPLES:
   zr init && zr up
   zr init --dry-run
   zr init cmd/api web`,
		Flags:  secretsFlags(&cli.BoolFlag{Name: "dry-run", Usage: "print what would be written, and write nothing"}),
		Action: runInit,
	}
}

func runInit(c *cli.Context) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	root, folders, err := initAt(flagValue(c, "project"), c.Args().Slice())
	if err != nil {
		return err
	}
	env := cmp.Or(flagValue(c, "env"), config.DefaultEnv)
	plan, err := stack.Init(root, env, folders)
	if err != nil {
		return err
	}
	out := c.App.Writer
	switch dry := c.Bool("dry-run"); {
	case dry && asJSON:
		return printJSON(out, plan)
	case dry:
		return printEdits(out, plan)
	}
	if _, err := stack.WriteInit(c.Context, root, env, plan); err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, plan)
	}
	return printInit(out, plan, stack.LinesAt(root, env))
}

// initAt is the project that dir lies in, or else dir itself, and the folders as they are
// called from there.
func initAt(dir string, folders []string) (root string, called []string, err error) {
	at, err := filepath.Abs(dir)
	if err == nil {
		at, err = filepath.EvalSymlinks(at)
	}
	if info, statErr := os.Stat(at); err != nil || statErr != nil || !info.IsDir() {
		return "", nil, fault.WithCode(errors.Join(fmt.Errorf("finding the project: %s is not a folder", dir), err), fault.Usage, "name one with --project DIR")
	}
	if root, err = config.Find(at); err != nil {
		root = at
	}
	for _, folder := range folders {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(at, folder)
		}
		below, err := filepath.Rel(root, folder)
		if err != nil {
			return "", nil, err
		}
		called = append(called, filepath.ToSlash(below))
	}
	if len(folders) == 0 && root != at { // somebody stands in the folder that is meant
		below, err := filepath.Rel(root, at)
		return root, []string{filepath.ToSlash(below)}, err
	}
	return root, called, nil
}

// printEdits prints what would be written, file by file.
func printEdits(out io.Writer, plan proposal.Plan) error {
	for _, e := range plan.Edits {
		where := "a new file"
		if !e.New {
			where = fmt.Sprintf("below %q, behind what is there", e.Under)
		}
		if _, err := fmt.Fprintf(out, "# %s: %s\n%s\n", e.File, where, e.Text); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "# nothing was written, because of --dry-run")
	return err
}

// printInit says what was made of which folder.
func printInit(out io.Writer, plan proposal.Plan, lines cmdline.Run) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range plan.Services {
		listens := fmt.Sprintf("probably listens on %d: %s", s.Port, s.Listens)
		if s.Listens == "" {
			listens = fmt.Sprintf("nothing says where it listens: %d is a guess", s.Port)
		}
		fmt.Fprintf(t, "%s\t%s, since %s\t%s\n", s.Service, s.Kind, s.Because, listens)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if may := proposal.Unproven(plan.PassedOver); len(may) > 0 {
		fmt.Fprintf(out, "\nPassed over, since nothing shows that they listen; name those that do: %s\n", lines.Zr("init", may...))
	}
	for _, p := range plan.PassedOver {
		if p.Because != "" {
			fmt.Fprintf(out, "\nPassed over: %s\n", p)
		}
	}
	fmt.Fprintln(out)
	for _, e := range plan.Edits {
		if e.New {
			fmt.Fprintf(out, "%s is new\n", e.File)
		} else {
			fmt.Fprintf(out, "%s has more below %q\n", e.File, e.Under)
		}
	}
	_, err := fmt.Fprintf(out, "\nNext: %s\n", lines.Zr("up"))
	return err
}
