package cli

import (
	"cmp"
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

	"zr/pkg/cluster/relay"
	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/health"
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
				ports, portsErr := s.lookAtPorts(ctx)
				failure := cmp.Or(unhealthy(s.lines, statuses), portsErr, ports.fault(s.lines))
				if asJSON {
					return printReport(c.App.Writer, map[string]any{
						"cluster": s.cluster.Context, "namespace": s.rendered.Namespace, "services": statuses,
						"endpoints": urls(ports.asked), "unanswered": ports.unanswered(), "relay": ports.relay,
					}, failure)
				}
				return cmp.Or(printStatus(c.App.Writer, statuses, ports), failure)
			})
		},
	}
}

// portsStatus is what a look at the published ports of this machine found.
type portsStatus struct {
	asked []endpoint
	relay *relay.State
	note  string // of the relay
}

// lookAtPorts starts the relay where it is wanted and does not run, as after a
// reboot, and asks every published port.
func (s *stack) lookAtPorts(ctx context.Context) (found portsStatus, err error) {
	if err := s.planPorts(ctx); err != nil {
		return found, err
	}
	if !s.local() {
		return found, nil
	}
	if found.relay, err = s.relayPorts(ctx); err != nil {
		return found, err
	}
	if found.relay != nil {
		found.note = s.relayNote(found.relay)
	}
	found.asked = s.askEndpoints(ctx)
	return found, ctx.Err()
}

// unanswered says of the ports that did not answer why, by name.
func (p portsStatus) unanswered() map[string]string {
	out := map[string]string{}
	for _, e := range p.asked {
		if e.err != nil {
			out[e.name] = e.err.Error()
		}
	}
	return out
}

func (p portsStatus) fault(lines cmdline.Run) error {
	var names []string
	for _, e := range p.asked {
		if e.err != nil && !e.idle {
			names = append(names, e.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fault.WithCode(errors.New("no answer at the port of this machine: "+strings.Join(names, ", ")), fault.NotHealthy,
		"`"+lines.Zr("up")+"` makes every port lead to its service; a NetworkPolicy, or a firewall of this machine, may be in the way")
}

// at are the URLs of what exposes a service.
func (p portsStatus) at(service string) string {
	var found []string
	for _, e := range p.asked {
		if e.err == nil && slices.Contains(e.workloads, service) {
			found = append(found, e.url())
		}
	}
	return strings.Join(found, " ")
}

func printStatus(w io.Writer, statuses []health.Status, ports portsStatus) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tSTATE\tREADY\tRESTARTS\tSINCE\tBUILD\tURL")
	for _, s := range statuses {
		since := ""
		if !s.Since.IsZero() {
			since = time.Since(s.Since).Round(time.Second).String()
		}
		fmt.Fprintf(t, "%s\t%s\t%d/%d\t%d\t%s\t%s\t%s\n", s.Service, s.State, s.Ready, s.Desired, s.Restarts, since, s.Build, ports.at(s.Service))
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
	for _, e := range ports.asked {
		if e.err != nil && !e.idle {
			fmt.Fprintf(w, "\n%s: %s does not answer: %s\n", e.name, e.address(), e.err)
		}
	}
	if ports.note != "" {
		fmt.Fprintf(w, "\n%s\n", ports.note)
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
