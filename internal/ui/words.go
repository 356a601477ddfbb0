package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zr/pkg/event"
)

// voice finds the words for events. Plain lines and what scrolls by on a
// terminal are the same words; the palette tells them apart.
type voice struct {
	p     *palette
	names nameColumn
}

func (v *voice) done(title string, e event.StepDone) string {
	line := v.p.green("✓") + " " + title
	detail := plainText(e.Detail)
	if e.Unchanged && detail == "" {
		detail = "unchanged"
	}
	if detail != "" {
		detail, _ = firstLine(detail)
		line += v.p.dim(" · " + detail)
	}
	return line + " " + v.p.dim("("+Duration(e.Took)+")")
}

// failed has the first line only: the whole error, with what to do about it,
// is the last thing that a run says.
func (v *voice) failed(title string, e event.StepFailed) string {
	if e.Cancelled { // what ended it is told where it happened
		return v.p.dim("○") + " " + title + v.p.dim(" · stopped ("+Duration(e.Took)+")")
	}
	first, more := firstLine(plainText(e.Error))
	if more {
		first += " …"
	}
	return v.p.red("✗") + " " + title + ": " + first + " " + v.p.dim("("+Duration(e.Took)+")")
}

func (v *voice) notice(e event.Notice) []string {
	lines := indent(v.p.yellow("!")+" ", plainText(e.Text))
	if e.Hint != "" {
		lines = append(lines, "  hint: "+plainText(e.Hint))
	}
	return lines
}

// indent puts a mark before the first line of a text and as many blanks
// before the others.
func indent(mark, text string) []string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		if i > 0 {
			lines[i] = "  " + lines[i]
		}
	}
	lines[0] = mark + lines[0]
	return lines
}

func (v *voice) mark(s event.State) string {
	switch s {
	case event.Healthy, event.Applied:
		return v.p.green("●")
	case event.Unhealthy, event.Failed:
		return v.p.red("✗")
	case event.Pending, event.Stopped, event.Removed:
		return v.p.dim("○")
	}
	return v.p.yellow("●")
}

func (v *voice) state(e event.ServiceState) string {
	line := v.mark(e.State) + " " + v.p.service(e.Service, e.Service) + " " + string(e.State)
	if e.Reason != "" {
		first, _ := firstLine(plainText(e.Reason))
		line += ": " + first
	}
	if e.Build != "" {
		line += v.p.dim(" · build " + short(e.Build))
	}
	return line
}

// short is how much of a build hash tells two builds apart at a glance.
func short(hash string) string { return hash[:min(8, len(hash))] }

// reload tells the trace of a save: live is what was seen to be. Why one was not
// made live is told by the problem that it left.
func (v *voice) reload(e event.Reload) []string {
	name := v.p.service(e.Service, e.Service)
	if e.Action == event.Apply {
		return []string{v.applied(name, e)}
	}
	if e.Error != "" {
		what := " was not made live"
		if e.RolledBack {
			what = " was put back to the version before"
		}
		return []string{v.p.red("✗") + " " + name + what + " " + v.p.dim("· "+paths(e.Paths))}
	}
	what := " live in "
	if e.OnlySent {
		what = " sent in "
	}
	return []string{v.p.green("✓") + " " + name + what + v.p.bold(Duration(total(e))) + " " + v.p.dim("· "+trace(e, true)+" · "+paths(e.Paths))}
}

// applied tells the trace of a save of the manifests: the cluster took them, or
// did not. Whether what they describe is healthy is a matter of its own.
func (v *voice) applied(name string, e event.Reload) string {
	switch {
	case e.Error == "":
		return v.p.green("✓") + " " + name + " applied in " + v.p.bold(Duration(total(e))) + " " + v.p.dim("· "+trace(e, true)+" · "+paths(e.Paths))
	case e.Sent > 0:
		return v.p.red("✗") + " " + name + " applied, and not everything is healthy " + v.p.dim("· "+paths(e.Paths))
	}
	return v.p.red("✗") + " " + name + " could not be applied " + v.p.dim("· "+paths(e.Paths))
}

// total is how long a save took from the editor to the answer.
func total(e event.Reload) time.Duration {
	return e.Noticed + e.Built + e.Sent + e.Swapped + e.Healthy
}

// trace writes the parts of a reload that happened, and on request how much
// travelled.
func trace(e event.Reload, size bool) string {
	var parts []string
	for _, p := range []struct {
		name string
		took time.Duration
	}{{"noticed", e.Noticed}, {"built", e.Built}, {"sent", e.Sent}, {"swapped", e.Swapped}, {"healthy", e.Healthy}} {
		if p.took == 0 {
			continue
		}
		part := p.name + " " + Duration(p.took)
		if size && p.name == "sent" && e.Bytes > 0 {
			part += " (" + Bytes(e.Bytes) + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " · ")
}

// paths names the first of the saved files, and how many more there are.
func paths(all []string) string {
	switch len(all) {
	case 0:
		return "nothing saved"
	case 1:
		return oneLine(all[0])
	}
	return fmt.Sprintf("%s and %d more", oneLine(all[0]), len(all)-1)
}

func (v *voice) problem(e event.Problem) []string {
	if e.Cleared {
		return []string{v.p.green("✓") + " " + oneLine(e.Source) + " is fixed"}
	}
	return indent(v.p.red("✗")+" "+v.p.bold(oneLine(e.Source))+": ", plainText(e.Text))
}

func (v *voice) ready(e event.Ready) []string {
	lines := []string{"", v.p.bold("Ready") + " " + v.p.dim("("+Duration(e.Took)+")")}
	width := 0
	for name := range e.Endpoints {
		width = max(width, len(name))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Endpoints)) {
		lines = append(lines, "  "+v.p.service(name, pad(name, width))+"  "+e.Endpoints[name])
	}
	if e.Login != "" {
		lines = append(lines, "", "Log in (once, within 10 minutes): "+v.p.cyan(e.Login))
	}
	if e.Next != "" {
		lines = append(lines, "", "Next: "+v.p.cyan(e.Next))
	}
	return lines
}

func (v *voice) skipped(e event.Skipped) string {
	of := ""
	if e.Service != "" {
		of = " of " + e.Service
	}
	return v.p.dim(fmt.Sprintf("… %s%s left out", amount(int64(e.N), "lines"), of))
}

// stateText is what a service is doing, for a line that names it already.
func stateText(e event.ServiceState) string {
	first, _ := firstLine(plainText(e.Reason))
	if first == "" {
		return string(e.State)
	}
	return first
}
