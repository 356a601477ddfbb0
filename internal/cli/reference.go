package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// Reference is the reference of the command line, in Markdown, made from the
// commands themselves.
func Reference() string {
	app := newApp(io.Discard, io.Discard)
	var b strings.Builder
	fmt.Fprintf(&b, "# zr: command line\n\nGenerated from the commands by `make generate`.\n\n```\n%s\n```\n\n", app.Description)
	fmt.Fprintf(&b, "## Flags of every command that works on a project\n\n%s\n", flagTable(rootFlags()))
	for _, command := range app.Commands {
		if command.Hidden {
			continue
		}
		writeCommand(&b, "zr", command)
	}
	return b.String()
}

func writeCommand(b *strings.Builder, parent string, command *cli.Command) {
	name := parent + " " + command.Name
	fmt.Fprintf(b, "## `%s`\n\n%s\n\n", strings.TrimSpace(name+" "+command.ArgsUsage), sentence(command.Usage))
	if command.Description != "" {
		fmt.Fprintf(b, "```\n%s\n```\n\n", command.Description)
	}
	var own []cli.Flag
	for _, f := range command.Flags {
		if !isGlobal(f) {
			own = append(own, f)
		}
	}
	if len(own) > 0 {
		b.WriteString(flagTable(own) + "\n")
	}
	for _, sub := range command.Subcommands {
		writeCommand(b, name, sub)
	}
}

func isGlobal(f cli.Flag) bool {
	for _, global := range globalFlags() {
		if global.Names()[0] == f.Names()[0] {
			return true
		}
	}
	return false
}

func flagTable(flags []cli.Flag) string {
	var b strings.Builder
	b.WriteString("| flag | meaning |\n| --- | --- |\n")
	for _, f := range flags {
		var names []string
		for _, n := range f.Names() {
			dashes := "--"
			if len(n) == 1 {
				dashes = "-"
			}
			names = append(names, "`"+dashes+n+"`")
		}
		usage := ""
		if d, ok := f.(cli.DocGenerationFlag); ok {
			usage = strings.NewReplacer("|", "\\|", "<", "\\<").Replace(d.GetUsage())
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(names, ", "), usage)
	}
	return b.String()
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }
