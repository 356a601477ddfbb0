package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arranged returns a command line as the library reads it. `zr help up` is
// `zr up --help`, `zr --version` is `zr version`, and flags behind a verb's arguments, as in `zr logs api -f`,
// come before them.
func arranged(app *cli.App, args []string) []string {
	if slices.Contains(args, completing) {
		return args
	}
	if len(args) > 1 && args[1] == "help" {
		args = slices.Concat(args[:1], args[2:], []string{"--help"})
	}
	commands, flags := app.Commands, app.Flags
	for i := 1; i < len(args); i++ {
		if args[i] == "--"+versionFlag.Name && slices.Contains(flags, cli.Flag(versionFlag)) {
			return slices.Concat(args[:i], []string{"version"}, args[i+1:])
		}
		if isFlag(args[i]) {
			if takesValue(flags, args[i]) {
				i++
			}
			continue
		}
		at := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[i]) })
		if at < 0 {
			return args
		}
		if commands, flags = commands[at].Subcommands, commands[at].Flags; len(commands) == 0 {
			return slices.Concat(args[:i+1], flagsFirst(flags, args[i+1:]))
		}
	}
	return args
}

func flagsFirst(flags []cli.Flag, args []string) []string {
	var first, rest []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			return slices.Concat(first, []string{"--"}, rest, args[i+1:])
		case !isFlag(args[i]):
			rest = append(rest, args[i])
			continue
		}
		first = append(first, args[i])
		if takesValue(flags, args[i]) && i+1 < len(args) {
			i++
			first = append(first, args[i])
		}
	}
	return append(first, rest...)
}

func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// takesValue tells whether the value of a flag is the next argument.
func takesValue(flags []cli.Flag, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	at := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if at < 0 {
		return false // unknown, or with its value behind a "="
	}
	_, isBool := flags[at].(*cli.BoolFlag)
	return !isBool
}
