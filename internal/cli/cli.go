// Package cli is the command line of zr: one file for each verb, with its flags and
// its output. What a verb does is internal/stack's.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"zr/internal/ui"
	"zr/pkg/config"
	"zr/pkg/fault"
)

// Main runs the command line args (with the program's name first). It returns the exit
// code: 0 done, 1 failed, 2 bad usage or configuration, 3 not healthy in time, 130
// interrupted, 141 nobody reads the output any more. The first Ctrl-C cancels what is
// being done and waits until it has tidied up; the second ends the process at once.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := interruptible()
	defer stop()
	return run(ctx, args, stdout, stderr)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, unread := context.WithCancel(ctx)
	defer unread()
	out := &output{Writer: stdout, unread: unread}
	if !isTerminal(stdout) {
		stdout = out
	}
	if completeEnv(args, stdout) {
		return 0
	}
	app := newApp(stdout, stderr)
	err := app.RunContext(ctx, arranged(app, args))
	if errors.Is(out.failure(), syscall.EPIPE) {
		return brokenPipe
	}
	if err == nil {
		err = out.failure()
	}
	if reported := (told{}); errors.As(err, &reported) {
		err = reported.error
	} else if jsonAsked(args) {
		tellJSON(stdout, err, ctx.Err() != nil)
	}
	if err != nil && ctx.Err() != nil {
		if !errors.Is(err, context.Canceled) { // what was killed says so in words of its own
			ui.PrintError(stderr, err)
		}
		fmt.Fprintln(stderr, "zr: interrupted")
		return fault.Interrupted
	}
	ui.PrintError(stderr, err)
	return fault.Code(err)
}

// brokenPipe is the exit code where the reader of the output has gone, as in
// `zr status | head -1`: that of a program which the signal for it has ended.
const brokenPipe = 128 + int(syscall.SIGPIPE)

func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	// A write that nobody reads is an error then, and not the end of the process
	// in the midst of something. Programs that it starts still get the signal.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		<-signals
		cancel()
		if _, again := <-signals; again {
			ui.Release()
			os.Exit(fault.Interrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel()
	}
}

const description = `zr takes a machine from zero to a running, production-shaped stack with one
command and keeps the stack in step with the editor.

EXIT CODES:
   0  done            2  bad usage or configuration
   1  failed          3  a service was not healthy in time      130  interrupted`

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                 "zr",
		Usage:                "a local-first Kubernetes dev runner",
		Description:          description,
		Version:              version(),
		HideVersion:          true, // the library's own says less than `zr version`
		HideHelpCommand:      true,
		EnableBashCompletion: true,
		Suggest:              true,
		Writer:               stdout,
		ErrWriter:            stderr,
		Flags:                append(rootFlags(), versionFlag),
		Commands: []*cli.Command{
			initCommand(), upCommand(), devCommand(), downCommand(), statusCommand(), logsCommand(), diffCommand(), renderCommand(),
			doctorCommand(), imagesCommand(), configCommand(), secretsCommand(), dashboardCommand(), tokenCommand(), versionCommand(), completionCommand(),
			relayCommand(), kubeTokenCommand(),
		},
		ExitErrHandler: func(*cli.Context, error) {}, // Main turns errors into exit codes
		OnUsageError:   usageError,
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return unknownCommand(c.App.Commands, name)
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, command := range app.Commands {
		setUsageErrors(command)
	}
	return app
}

func setUsageErrors(command *cli.Command) {
	command.OnUsageError = usageError
	command.HideHelpCommand = len(command.Subcommands) == 0 // `zr logs help` is about a service
	for _, sub := range command.Subcommands {
		setUsageErrors(sub)
	}
	if len(command.Subcommands) > 0 && command.Action == nil {
		command.Action = func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return unknownCommand(command.Subcommands, name)
			}
			return cli.ShowSubcommandHelp(c)
		}
	}
}

func usageError(c *cli.Context, err error, _ bool) error {
	hint := "see `" + c.Command.HelpName + " --help`"
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		var known []string
		for _, f := range c.Command.Flags {
			known = append(known, f.Names()[0])
		}
		if near := config.Nearest(name, known); near != "" {
			hint = fmt.Sprintf("did you mean %q?", "--"+near)
		}
	}
	return fault.WithCode(fmt.Errorf("reading the command line: %w", err), fault.Usage, hint)
}

func unknownCommand(commands []*cli.Command, name string) error {
	var known []string
	for _, command := range commands {
		if !command.Hidden {
			known = append(known, command.Name)
		}
	}
	return fault.WithCode(fmt.Errorf("there is no command %q", name), fault.Usage,
		config.Suggest("commands here: "+strings.Join(known, ", "), name, known))
}

// noArguments refuses what a verb would silently ignore.
func noArguments(c *cli.Context) error {
	if c.NArg() == 0 {
		return nil
	}
	return fault.WithCode(fmt.Errorf("%s takes no arguments, got %q", c.Command.Name, strings.Join(c.Args().Slice(), " ")),
		fault.Usage, "see `"+c.Command.HelpName+" --help`")
}
