package proc

import (
	"context"
	"errors"
	"io"
	"syscall"
)

// Run runs a command to its end beside the process, and kills it when ctx ends.
// The error has the last lines that it wrote.
func Run(ctx context.Context, r *Reaper, c Command) error {
	c.Stdout, c.Stderr = io.Discard, io.Discard
	p, err := Start(r, c)
	if err != nil {
		return err
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.Signal(syscall.SIGKILL)
		<-p.exited
		return context.Cause(ctx)
	}
	if p.ExitCode() == 0 {
		return nil
	}
	text := p.Cause()
	if lines := p.Output(); len(lines) > 0 {
		text += ": " + lines[len(lines)-1]
	}
	return errors.New(text)
}
