package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/pkg/event"
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
				Action:      listImages,
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
				Action: pruneImages,
			},
		},
	}
}

func listImages(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	entries, err := stack.Images()
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

func buildImages(c *cli.Context) error { return printBuilt(c, (*stack.Stack).BuildImages) }

func pushImages(c *cli.Context) error { return printBuilt(c, (*stack.Stack).PushImages) }

// printBuilt prints the names of what build returns.
func printBuilt(c *cli.Context, build func(*stack.Stack, context.Context) ([]stack.BuiltImage, error)) error {
	if err := noArguments(c); err != nil {
		return err
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	messages, err := printer(c, c.App.ErrWriter) // the names are the result, the rest are messages
	if err != nil {
		return err
	}
	defer messages.Close()
	sink := event.Sink(messages)
	if asJSON {
		sink = event.Discard
	}
	return onStack(c, sink, stack.Options{}, func(ctx context.Context, s *stack.Stack) error {
		images, err := build(s, ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.App.Writer, images)
		}
		for _, i := range images {
			fmt.Fprintln(c.App.Writer, i.Name)
		}
		return nil
	})
}

func pruneImages(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	pruned, err := stack.PruneImages(c.Context, c.Bool("all"))
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.App.Writer, pruned)
	}
	fmt.Fprintf(c.App.Writer, "%d images dropped, %.1f MiB freed, %.1f MiB remain\n",
		len(pruned.Removed), float64(pruned.Freed)/(1<<20), float64(pruned.Size)/(1<<20))
	return nil
}
