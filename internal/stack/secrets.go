package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/config"
	"zr/pkg/deploy"
	"zr/pkg/event"
)

// renderSettled renders the overlay with secrets that the environment may run
// with. Where their file is missing it is made: another checkout, or this one
// before the file was lost, may have made volumes with the values that the
// cluster holds, and with others nobody would get into them.
func (s *Stack) renderSettled(ctx context.Context) error {
	if err := s.ignoreSecrets(s.cfg); err != nil {
		return err
	}
	if err := s.realSecrets(); err != nil {
		return err
	}
	err := s.render(ctx)
	if !s.cfg.SecretsMissing || err == nil && len(s.cfg.Secrets) == 0 {
		return err // they are there, or nothing reads any
	}
	if err != nil && len(s.cfg.Secrets) > 0 {
		return err // with values of an example it is not for lack of them
	}
	held, askErr := s.heldSecrets(ctx, true)
	if askErr != nil {
		return askErr
	}
	if err != nil && len(held) == 0 {
		return err
	}
	s.cfg.WithHeld(held)
	if err := s.ignoreSecrets(s.cfg); err != nil {
		return err
	}
	made, err := s.cfg.MakeSecrets(held)
	if err != nil {
		return err
	}
	if len(made.Taken) > 0 {
		s.sink.Emit(event.Notice{Text: takenOver(made)})
	}
	return s.render(ctx)
}

// ignoreSecrets keeps secrets out of git, where there are or may be any.
func (s *Stack) ignoreSecrets(cfg *config.Config) error {
	if cfg.SecretsMissing && len(cfg.Secrets) == 0 {
		return nil
	}
	wrote, err := cfg.IgnoreSecrets()
	if wrote != "" {
		s.sink.Emit(event.Notice{Text: wrote + " is written: git would have taken the secrets that stand beside it", Hint: "commit it"})
	}
	return err
}

func takenOver(made config.MadeSecrets) string {
	text := fmt.Sprintf("%s was missing and is made with the values that the environment runs with: %s", made.File, strings.Join(made.Taken, ", "))
	if len(made.New) > 0 {
		text += "; new is " + strings.Join(made.New, ", ")
	}
	return text
}

// heldSecrets asks the cluster for the secrets that the environment runs with.
// A cluster of zr's own that was stopped is started where wake says so; one that
// does not exist holds none.
func (s *Stack) heldSecrets(ctx context.Context, wake bool) (map[string]string, error) {
	provider := s.provider
	if provider == nil {
		provider = s.newProvider(nil, nil)
	}
	c, err := provider.Find(ctx)
	if errors.Is(err, cluster.ErrNotFound) {
		return nil, nil
	}
	if errors.Is(err, cluster.ErrDown) && wake && s.can().Own && s.provider != nil {
		c, err = provider.Ensure(ctx, s.sink)
	}
	if errors.Is(err, engine.ErrNone) {
		return nil, cmp.Or(s.preflight(ctx, true), err) // which says what to do
	}
	if err != nil {
		return nil, err
	}
	d, err := s.deployerOn(c, "")
	if err != nil {
		return nil, err
	}
	return d.Held(ctx)
}

// deployerOn returns what applies the environment on a cluster. Without a
// namespace it looks for where the environment is.
func (s *Stack) deployerOn(c *cluster.Cluster, namespace string) (*deploy.Deployer, error) {
	d, err := deploy.New(c.Client, s.set(), namespace)
	if err != nil {
		return nil, err
	}
	d.Own, d.ChangeSecrets, d.Lines = s.can().Own, s.options.ChangeSecrets, linesOn(s.cfg, c)
	return d, nil
}

// borrowSecrets lets a verb that only looks work with the secrets that the
// environment runs with, where their file is missing.
func (s *Stack) borrowSecrets(ctx context.Context, on *connection) error {
	if !s.cfg.SecretsMissing {
		return nil
	}
	held, err := on.deployer.Held(ctx)
	if err != nil || len(held) == 0 {
		return err
	}
	s.cfg.WithHeld(held)
	return s.render(ctx)
}

// keepSecrets writes the secrets of a running session back where their file has
// gone since.
func (s *Stack) keepSecrets(next *config.Config) error {
	if !next.SecretsMissing || s.cfg.SecretsMissing {
		return nil
	}
	if err := s.ignoreSecrets(s.cfg); err != nil {
		return err
	}
	made, err := next.MakeSecrets(s.cfg.Secrets)
	if err == nil {
		s.sink.Emit(event.Notice{Text: takenOver(made)})
	}
	return err
}
