package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"zr/pkg/build"
	"zr/pkg/event"
	"zr/pkg/image"
)

func imagesCommand() *cli.Command {
	return &cli.Command{
		Name:        "images",
		Usage:       "work with the local image store",
		Description: "EXAMPLES:\n   zr images ls\n   zr images build -o json",
		Flags:       verbFlags(),
		Subcommands: []*cli.Command{
			{
				Name:        "ls",
				Usage:       "list the images of the store",
				Description: "EXAMPLE:\n   zr images ls -o json | jq '.[].name'",
				Flags:       []cli.Flag{outputFlag()},
				Action:      onStore(listImages),
			},
			{
				Name:  "build",
				Usage: "build the images of the environment, and no more",
				Description: `Prints each image's name, pinned by digest, on the standard output.

EXAMPLE:
   zr images build -o json | jq -r '.[].build'`,
				Flags:  verbFlags(),
				Action: buildImages,
			},
			{
				Name:  "push",
				Usage: "build the images of the environment and push them, and no more",
				Description: `For pipelines: it asks no cluster. What the registry has is not sent again. Prints
each image's name, pinned by digest, on the standard output.

EXAMPLE:
   zr images push --env staging`,
				Flags:  verbFlags(),
				Action: pushImages,
			},
			{
				Name:  "prune",
				Usage: "drop the images that are used least",
				Description: `Brings the store down to its budget of 20 GiB and drops builds that newer ones
replaced. What a running zr uses stays.

EXAMPLES:
   zr images prune
   zr images prune --all`,
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "all", Usage: "drop everything that may go"},
					outputFlag(),
				},
				Action: onStore(pruneImages),
			},
		},
	}
}

// unusedWork is how long the work folder of a build may lie idle before a prune
// takes it. One of a Node service is some 600 MB, and minutes to fill.
const unusedWork = 7 * 24 * time.Hour

// onStore runs a verb of the image store, which needs no project.
func onStore(verb func(c *cli.Context, store *image.Store, asJSON bool) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		if err := noArguments(c); err != nil {
			return err
		}
		asJSON, err := wantsJSON(c)
		if err != nil {
			return err
		}
		dir, err := image.DefaultDir()
		if err != nil {
			return err
		}
		store, err := image.Open(dir)
		if err != nil {
			return err
		}
		defer store.Close()
		return verb(c, store, asJSON)
	}
}

func listImages(c *cli.Context, store *image.Store, asJSON bool) error {
	entries, err := store.List()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.App.Writer, entries)
	}
	t := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSIZE\tSOURCE\tLAST USED")
	for _, e := range entries {
		fmt.Fprintf(t, "%s\t%.1f MiB\t%s\t%s\n", e.Name, float64(e.Size)/(1<<20), e.Source, e.LastUsed.Format(time.DateTime))
	}
	return t.Flush()
}

func buildImages(c *cli.Context) error {
	return buildAnd(c, func(_ context.Context, s *stack) ([]string, error) {
		names := make([]string, len(s.built))
		for n, r := range s.built {
			names[n] = r.Local()
		}
		return names, nil
	})
}

// buildAnd builds what changed, and prints the names that do returns for it.
func buildAnd(c *cli.Context, do func(context.Context, *stack) ([]string, error)) error {
	if err := noArguments(c); err != nil {
		return err
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	talk, err := printer(c, c.App.ErrWriter) // the names are the result, the rest is talk
	if err != nil {
		return err
	}
	defer talk.Close()
	sink := event.Sink(talk)
	if asJSON {
		sink = event.Discard
	}
	return onStack(c, sink, func(ctx context.Context, s *stack) error {
		if err := s.cfg.CheckSources(); err != nil {
			return err
		}
		// Manifests say whether the image's own command is run. Images are also
		// built where there are none, or broken ones; nothing is fetched for them.
		s.fetch = nil
		_ = s.render(ctx)
		if err := (step{stepBuild, "build images", s.build}).run(ctx, sink); err != nil {
			return err
		}
		names, err := do(ctx, s)
		if err != nil {
			return err
		}
		if asJSON {
			return printBuilt(c, s.built, names)
		}
		for _, name := range names {
			fmt.Fprintln(c.App.Writer, name)
		}
		return nil
	})
}

func printBuilt(c *cli.Context, built []build.Result, names []string) error {
	report := []map[string]any{}
	for n, r := range built {
		size, err := topLayer(r)
		if err != nil {
			return err
		}
		report = append(report, map[string]any{
			"service": r.Service, "name": names[n], "build": r.InputHash, "cached": r.Cached, "topLayer": size,
		})
	}
	return printJSON(c.App.Writer, report)
}

// topLayer is the size in bytes of an image's last layer: what a change of the
// service's own code sends.
func topLayer(r build.Result) (int64, error) {
	layers, err := r.Image.Layers()
	if err != nil || len(layers) == 0 {
		return 0, err
	}
	return layers[len(layers)-1].Size()
}

func pruneImages(c *cli.Context, store *image.Store, asJSON bool) error {
	options := image.PruneOptions{Budget: -1, Superseded: true}
	if c.Bool("all") {
		options = image.PruneOptions{Budget: 0}
	}
	pruned, err := store.Prune(c.Context, options)
	if err != nil {
		return err
	}
	work, err := build.Deps{Store: store}.Clean(c.Context, unusedWork)
	if err != nil {
		return err
	}
	pruned.Freed += work
	if asJSON {
		if pruned.Removed == nil {
			pruned.Removed = []image.Entry{} // a list in JSON too
		}
		return printJSON(c.App.Writer, pruned)
	}
	fmt.Fprintf(c.App.Writer, "%d images dropped, %.1f MiB freed, %.1f MiB remain\n",
		len(pruned.Removed), float64(pruned.Freed)/(1<<20), float64(pruned.Size)/(1<<20))
	return nil
}
