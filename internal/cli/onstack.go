package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/pkg/event"
)

// withStack runs f on the environment that the flags name, with a printer on
// the standard output.
func withStack(c *cli.Context, f func(context.Context, *stack.Stack) error) error {
	if err := noArguments(c); err != nil {
		return err
	}
	out, err := printer(c, c.App.Writer)
	if err != nil {
		return err
	}
	defer out.Close()
	return onStack(c, out, runOptions(c), f)
}

// runOptions are those of a verb that changes an environment and shows what it does.
func runOptions(c *cli.Context) stack.Options {
	return stack.Options{Verb: c.Command.Name, Tell: c.Command.Name == "up" || c.Command.Name == "dev", ChangeSecrets: c.Bool("change-secrets"), Overwrite: c.Bool("overwrite"), Dashboard: wantsDashboard(c), Shown: true, Wait: c.Bool("wait"), Yes: c.Bool("yes"), Keep: c.Duration("keep")}
}

// quietly runs f on the environment that the flags name, for verbs whose
// output is a report and not a run. Steps go to the standard error.
func quietly(c *cli.Context, f func(context.Context, *stack.Stack) error) error {
	if err := noArguments(c); err != nil {
		return err
	}
	return onStack(c, event.Discard, stack.Options{}, f)
}

// report is quietly for verbs whose output is JSON where the flags ask for that.
func report(c *cli.Context, f func(ctx context.Context, s *stack.Stack, asJSON bool) error) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	return quietly(c, func(ctx context.Context, s *stack.Stack) error { return f(ctx, s, asJSON) })
}

func onStack(c *cli.Context, sink event.Sink, options stack.Options, f func(context.Context, *stack.Stack) error) error {
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	s, err := stack.Open(cfg, sink, options)
	if err != nil {
		return err
	}
	defer s.Close()
	return f(c.Context, s)
}
