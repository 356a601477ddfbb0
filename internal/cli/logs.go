package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/logline"
	"zr/pkg/logs"
)

func logsCommand() *cli.Command {
	return &cli.Command{
		Name:      "logs",
		Usage:     "print what the services write",
		ArgsUsage: "[SERVICE...]",
		Description: `All services where none is named. Follows new pods and restarted containers.

EXAMPLES:
   zr logs -f
   zr logs -f --level warning api
   zr logs --since 10m -o json | jq -r '.text'`,
		Flags: verbFlags(
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on until Ctrl-C"},
			&cli.IntFlag{Name: "tail", Usage: "begin with the last `N` lines of each container (0: all)", Value: 100},
			&cli.DurationFlag{Name: "since", Usage: "begin with lines from `DURATION` ago, for example 10m"},
			&cli.StringFlag{Name: "level", Usage: "the least severe `LEVEL` wanted: debug, info, warning or error"},
		),
		BashComplete: completeServices,
		Action: func(c *cli.Context) error {
			if c.Int("tail") < 0 || c.Duration("since") < 0 {
				return fault.WithCode(errors.New("--tail and --since: less than nothing is asked for"), fault.Usage, "see `zr logs --help`")
			}
			if level := c.String("level"); level != "" && !slices.Contains(logline.Levels(), level) {
				return fault.WithCode(fmt.Errorf("--level: %q is not a level", level), fault.Usage, "one of "+strings.Join(logline.Levels(), ", "))
			}
			out, err := printer(c, c.App.Writer)
			if err != nil {
				return err
			}
			defer out.Close()
			return onStack(c, out, func(ctx context.Context, s *stack) error { return s.logs(ctx, c) })
		},
	}
}

func (s *stack) logs(ctx context.Context, c *cli.Context) error {
	if err := s.render(ctx); err != nil {
		return err
	}
	services, known := c.Args().Slice(), s.workloads()
	for _, service := range services {
		if !slices.Contains(known, service) {
			return fault.WithCode(fmt.Errorf("there is no service %q", service), fault.Usage,
				config.Suggest("services here: "+strings.Join(known, ", "), service, known))
		}
	}
	if err := s.attach(ctx); err != nil {
		return err
	}
	rest, err := s.cluster.RESTConfig()
	if err != nil {
		return err
	}
	reader, err := logs.New(rest)
	if err != nil {
		return err
	}
	options := logs.Options{Namespace: s.rendered.Namespace, Services: services, Tail: c.Int("tail"), Follow: c.Bool("follow")}
	if since := c.Duration("since"); since > 0 {
		options.Since = time.Now().Add(-since)
	}
	err = reader.Follow(ctx, options, func(l event.LogLine) {
		if logline.AtLeast(l.Level, c.String("level")) {
			s.sink.Emit(l)
		}
	})
	return cmp.Or(err, ctx.Err()) // Follow takes Ctrl-C for an end like any other
}
