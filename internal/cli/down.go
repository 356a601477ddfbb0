package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"zr/internal/stack"
	"zr/pkg/fault"
)

func downCommand() *cli.Command {
	return &cli.Command{
		Name:  "down",
		Usage: "remove the workloads; the cluster, the volumes and the data stay",
		Description: `With --purge the data goes too, and with it a cluster that zr made, unless other
environments are on it. The image store stays, so that the next ` + "`zr up`" + ` is quick;
` + "`zr images prune`" + ` empties it.

EXAMPLES:
   zr down
   zr down --purge --yes`,
		Flags: verbFlags(append(sharedFlags(),
			&cli.BoolFlag{Name: "expired", Usage: "remove, with their data, the namespaces of anybody's own on the cluster whose time has run out, and nothing else"},
			&cli.BoolFlag{Name: "purge", Usage: "also remove the volumes and the data, and the cluster where nobody else is on it"},
		)...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if err := agreed(c); err != nil { // before a printer takes the terminal
				return err
			}
			return withStack(c, func(ctx context.Context, s *stack.Stack) error {
				if c.Bool("expired") {
					return s.DownExpired(ctx)
				}
				if c.Bool("purge") {
					return s.Purge(ctx)
				}
				return s.Down(ctx)
			})
		},
	}
}

// agreed asks before data is deleted, or anything on a cluster that others use too.
func agreed(c *cli.Context) error {
	if c.Bool("yes") {
		return nil
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	question := stack.DownQuestion(cfg)
	if c.Bool("expired") {
		question = fmt.Sprintf("This removes every namespace of %q whose time has run out, with its data.", cfg.Cluster.Called())
	}
	if c.Bool("purge") && !c.Bool("expired") {
		if question, err = stack.PurgeQuestion(c.Context, cfg); err != nil {
			return err
		}
	}
	if question == "" {
		return nil
	}
	return confirm(c.Context, os.Stdin, c.App.ErrWriter, question)
}

// confirm asks for a yes. Without a terminal there is nobody to ask.
func confirm(ctx context.Context, in *os.File, out io.Writer, question string) error {
	if !term.IsTerminal(int(in.Fd())) {
		return fault.WithCode(errors.New("this asks first, and there is no terminal to ask on"), fault.Usage, "add --yes")
	}
	fmt.Fprintf(out, "%s Type yes to go on: ", question)
	yes, err := saysYes(ctx, in)
	if err != nil {
		return err
	}
	if !yes {
		return fault.WithCode(errors.New("nothing was deleted"), fault.Failed, "")
	}
	return nil
}

// saysYes reads a line. Ctrl-C ends the wait for it; the read itself ends with
// the process.
func saysYes(ctx context.Context, in io.Reader) (bool, error) {
	answers := make(chan string, 1)
	go func() {
		answer, _ := bufio.NewReader(in).ReadString('\n') // what cannot be read is no yes
		answers <- answer
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case answer := <-answers:
		return strings.TrimSpace(answer) == "yes", nil
	}
}
