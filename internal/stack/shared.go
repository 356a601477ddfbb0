package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"

	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/deploy"
	"zr/pkg/deploy/lease"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// runLease is that of a run on its environment. Nobody else is on a cluster of zr's own,
// where none is taken. Its zero value is one that is not taken yet.
type runLease struct{ held *lease.Lease }

// takeLease keeps others from changing the environment until l is released. What
// it returns ends when the lease is lost.
func (s *Stack) takeLease(ctx context.Context, l *runLease, d *deploy.Deployer) (within context.Context, done context.CancelFunc, err error) {
	if s.can().Own {
		return ctx, func() {}, nil
	}
	if l.held == nil {
		options := lease.Options{Holder: s.holder()}
		if s.options.Wait {
			options.Wait = func(held lease.Held) { s.sink.Emit(event.Notice{Text: held.Error() + "; waiting for it"}) }
		}
		l.held, err = d.Lease(ctx, options)
		if held := (*lease.Held)(nil); errors.As(err, &held) {
			err = fault.Hint(err, "`"+linesOf(s.cfg).Zr(s.options.Verb, "--wait")+"` waits for it")
		}
		if err != nil || l.held == nil {
			return ctx, func() {}, err
		}
	}
	within, done = l.held.Within(ctx)
	return within, done, nil
}

// afterOthers says, once, that another run may have changed something since this
// one looked.
func (l *runLease) afterOthers() bool {
	waited := l.held != nil && l.held.Waited
	if waited {
		l.held.Waited = false
	}
	return waited
}

// release lets others change the environment again. What follows takes it anew.
func (l *runLease) release() {
	if l.held != nil {
		l.held.Release()
		l.held = nil
	}
}

// orLost returns why the lease was lost in place of an error that comes of it.
func (s *Stack) orLost(ctx context.Context, lines cmdline.Run, err error) error {
	if lost := context.Cause(ctx); err != nil && errors.Is(lost, lease.ErrLost) {
		return fault.Hint(fmt.Errorf("changing %q: %w", s.set(), lost), "`"+lines.Zr("diff")+"` shows what is left to do")
	}
	return err
}

// holder names this run to others.
func (s *Stack) holder() string {
	who, where := "somebody", "an unknown machine"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		where = host
	}
	return fmt.Sprintf("`zr %s` of %s on %s, process %d,", s.options.Verb, who, where, os.Getpid())
}

// mayDelete wants a yes before an apply deletes what others may use.
func (p *project) mayDelete(changes *deploy.ChangeSet, lines cmdline.Run) error {
	var goes []string
	for _, change := range changes.Changed() {
		if change.Action == deploy.Pruned && !p.ofDev(change) {
			goes = append(goes, change.Kind+" "+change.Name)
		}
	}
	if p.can().Own || p.options.Yes || len(goes) == 0 {
		return nil
	}
	return fault.WithCode(fmt.Errorf("this would delete %s from %s, and nothing was changed", strings.Join(goes, ", "), p.clusterName()), fault.Usage,
		"`"+lines.Zr("diff")+"` shows all of it; `"+lines.Zr(p.options.Verb, "--yes")+"` goes on")
}

// mayTakeBack wants a yes before an apply takes back what others have changed.
func (p *project) mayTakeBack(changes *deploy.ChangeSet, lines cmdline.Run) error {
	var theirs []string
	for _, change := range changes.Changes {
		for _, drift := range change.Drifted {
			theirs = append(theirs, fmt.Sprintf("%s %s: %s", change.Kind, change.Name, drift))
		}
	}
	if p.can().Own || p.options.Yes || len(theirs) == 0 {
		return nil
	}
	return fault.WithCode(fmt.Errorf("this would take back what others have changed in %s, and nothing was changed: %s", p.clusterName(), strings.Join(theirs, "; ")), fault.Usage,
		"`"+lines.Zr("diff")+"` shows all of it; what is to stay belongs into the manifest; `"+lines.Zr(p.options.Verb, "--yes")+"` takes it back")
}

// ofDev says whether a `zr dev` added an object, which goes with it.
func (p *project) ofDev(change deploy.Change) bool {
	service, found := strings.CutSuffix(change.Name, render.DevSecret(""))
	return found && change.Kind == "Secret" && p.cfg.Services[service].Build != nil
}

// realSecrets refuses secrets that everybody knows, outside of a machine of one's own.
func (s *Stack) realSecrets() error {
	mock := s.cfg.MockSecrets()
	if s.can().Own || len(mock) == 0 {
		return nil
	}
	return fault.WithCode(fmt.Errorf("%s has the values of an example: %s", s.cfg.SecretsFile(), strings.Join(mock, ", ")), fault.Usage,
		"write real ones there; where the file is missing, zr makes it with random values")
}

// DownQuestion says what taking an environment down removes that others may use;
// it is empty where nobody has to be asked.
func DownQuestion(cfg *config.Config) string {
	s := newStack(cfg, event.Discard, Options{})
	if s.can().Own {
		return ""
	}
	return fmt.Sprintf("This removes the workloads of %q from %q; its volumes and data stay.", s.set(), s.clusterName())
}
