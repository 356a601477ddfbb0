package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/health"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "say how every service is, and why one is not healthy",
		Description: `Asks each service once. Exit code 3 where one is not healthy.

EXAMPLES:
   zr status
   zr status -o json | jq '.services[] | {service, state, build}'`,
		Flags: verbFlags(),
		Action: func(c *cli.Context) error {
			asJSON, err := wantsJSON(c)
			if err != nil {
				return err
			}
			return quietly(c, func(ctx context.Context, s *stack) error {
				if err := s.find(ctx); err != nil {
					return err
				}
				statuses, err := s.gate.Check(ctx, s.targets())
				if err != nil {
					return err
				}
				if asJSON {
					err = printJSON(c.App.Writer, map[string]any{
						"cluster": s.cluster.Context, "namespace": s.rendered.Namespace, "services": statuses, "endpoints": s.endpoints(),
					})
				} else {
					err = printStatus(c.App.Writer, statuses, s.endpoints())
				}
				if err != nil {
					return err
				}
				return unhealthy(s.lines, statuses)
			})
		},
	}
}

func printStatus(w io.Writer, statuses []health.Status, endpoints map[string]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tSTATE\tREADY\tRESTARTS\tSINCE\tBUILD\tURL")
	for _, s := range statuses {
		since := ""
		if !s.Since.IsZero() {
			since = time.Since(s.Since).Round(time.Second).String()
		}
		fmt.Fprintf(t, "%s\t%s\t%d/%d\t%d\t%s\t%s\t%s\n", s.Service, s.State, s.Ready, s.Desired, s.Restarts, since, s.Build, endpoints[s.Service])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range statuses {
		if s.State == event.Healthy {
			continue
		}
		fmt.Fprintf(w, "\n%s: %s\n", s.Service, s.Reason)
		for _, line := range s.Proof {
			fmt.Fprintf(w, "    %s\n", line)
		}
		if s.Hint != "" {
			fmt.Fprintf(w, "  hint: %s\n", s.Hint)
		}
	}
	return nil
}

// asMeant tells that a service is as its manifest wants it: healthy, or stopped.
func asMeant(s health.Status) bool { return s.State == event.Healthy || s.State == event.Stopped }

// unhealthy is the error of a status with services that are not healthy.
func unhealthy(lines cmdline.Run, statuses []health.Status) error {
	var names, logs []string
	for _, s := range statuses {
		if !asMeant(s) {
			names = append(names, s.Service)
			logs = append(logs, path.Base(s.Service)) // job/web is among those of web
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fault.WithCode(errors.New("not healthy: "+strings.Join(names, ", ")), fault.NotHealthy, "`"+lines.Zr("logs", slices.Compact(logs)...)+"` shows what they say")
}
