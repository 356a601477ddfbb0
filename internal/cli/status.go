package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/internal/ui"
	"zr/pkg/event"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "say how every service is, and why one is not healthy",
		Description: `Asks each service once, and each port of this machine that leads to one. Exit
code 3 where one is not healthy, or does not answer there.

EXAMPLES:
   zr status
   zr status -o json | jq '.services[] | {service, state, build}'`,
		Flags: verbFlags(),
		Action: func(c *cli.Context) error {
			return report(c, func(ctx context.Context, s *stack.Stack, asJSON bool) error {
				status, err := s.Status(ctx)
				if status == nil {
					return err
				}
				if asJSON {
					return printReport(c.App.Writer, statusReport(status), err)
				}
				return cmp.Or(printStatus(ui.Report(c.App.Writer), status), err)
			})
		},
	}
}

// statusReport is a status as JSON has it.
func statusReport(status *stack.Status) map[string]any {
	endpoints, unanswered := map[string]string{}, map[string]string{}
	for _, p := range status.Ports {
		if p.Err == nil {
			endpoints[p.Name] = p.URL
		} else {
			unanswered[p.Name] = p.Err.Error()
		}
	}
	return map[string]any{
		"cluster": status.Context, "namespace": status.Namespace, "services": status.Services,
		"endpoints": endpoints, "unanswered": unanswered, "relay": status.Relay,
	}
}

// urlsOf are the URLs of what exposes a service.
func urlsOf(ports []stack.PortStatus, service string) string {
	var found []string
	for _, p := range ports {
		if p.Err == nil && slices.Contains(p.Workloads, service) {
			found = append(found, p.URL)
		}
	}
	return strings.Join(found, " ")
}

func printStatus(w io.Writer, status *stack.Status) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tSTATE\tREADY\tRESTARTS\tSINCE\tBUILD\tURL")
	for _, s := range status.Services {
		since := ""
		if !s.Since.IsZero() {
			since = time.Since(s.Since).Round(time.Second).String()
		}
		fmt.Fprintf(t, "%s\t%s\t%d/%d\t%d\t%s\t%s\t%s\n", s.Service, s.State, s.Ready, s.Desired, s.Restarts, since, s.Build, urlsOf(status.Ports, s.Service))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range status.Services {
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
	for _, p := range status.Ports {
		if p.Err != nil && !p.Idle {
			fmt.Fprintf(w, "\n%s: %s does not answer: %s\n", p.Name, p.Address, p.Err)
		}
	}
	if status.RelayNote != "" {
		fmt.Fprintf(w, "\n%s\n", status.RelayNote)
	}
	return nil
}
