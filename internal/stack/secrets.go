package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/config"
	"zr/pkg/deploy"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/gitignore"
	"zr/pkg/health"
	"zr/pkg/sealed"
)

// renderWithSecrets renders the overlay with secrets that the environment may run with.
// Where their file is missing, and nobody else provides them in the cluster, it is made. Another checkout, or this one before the file
// was lost, may have made volumes with the values that the cluster holds. With others
// nobody would get into them.
func (s *Stack) renderWithSecrets(ctx context.Context) (*project, error) {
	s, err := s.unseal(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.ignoreSecrets(s.cfg); err != nil {
		return nil, err
	}
	if err := s.realSecrets(); err != nil {
		return nil, err
	}
	p, err := s.render(ctx)
	if err == nil && p.rendered.SecretsClass != "" {
		return p, cmp.Or(p.onlyByClass(), p.leftToClass(ctx))
	}
	if !s.cfg.SecretsMissing || err == nil && len(s.cfg.Secrets) == 0 && !p.rendered.MakesSecrets() {
		return p, err // they are there, or nothing reads any
	}
	if err != nil && len(s.cfg.Secrets) > 0 {
		return nil, err // with values of an example it is not for lack of them
	}
	if err != nil {
		p = s.unrendered()
	}
	held, lent, askErr := p.secretsThere(ctx)
	if askErr != nil {
		return nil, askErr
	}
	if lent != nil {
		return s.withLent(lent).render(ctx)
	}
	if len(held) == 0 && len(s.cfg.Secrets) == 0 {
		return s.withSecrets(nil).render(ctx) // and say what is missing
	}
	s = s.withSecrets(held)
	if err := s.ignoreSecrets(s.cfg); err != nil {
		return nil, err
	}
	made, err := s.cfg.MakeSecrets(held)
	if err != nil {
		return nil, err
	}
	if len(made.Taken) > 0 {
		s.sink.Emit(event.Notice{Text: takenOver(made)})
	}
	return s.render(ctx)
}

// onlyByClass refuses a file beside a class of the CSI driver, which makes the Secret.
func (p *project) onlyByClass() error {
	if p.cfg.SecretsMissing || p.cfg.SecretsLent {
		return nil
	}
	return fault.WithCode(fmt.Errorf("SecretProviderClass %q makes the Secret of the secrets, and %s is there as well", p.rendered.SecretsClass, p.cfg.SecretsFile()), fault.Usage,
		"remove the file, or take the class out of the overlay")
}

// leftToClass refuses a class as long as the Secret is there that zr made before: the
// driver fills in none that it did not make, and looks for one that has gone meanwhile
// only every few minutes.
func (p *project) leftToClass(ctx context.Context) error {
	held, _, err := p.secretsThere(ctx)
	if err != nil || len(held) == 0 {
		return err
	}
	return fault.WithCode(fmt.Errorf("SecretProviderClass %q makes the Secret of the secrets, and the cluster has the one that zr made", p.rendered.SecretsClass), fault.Usage,
		"once the vault has its values, `"+p.lines.Kubectl("-n", p.rendered.Namespace, "delete", "secret", render.SecretsName)+"`")
}

// byClass returns the same with the secrets that the CSI driver has put into the cluster
// by now, where a class makes them: who has the cluster knows them only then.
func (p *project) byClass(ctx context.Context, on *connection) (*project, error) {
	if p.rendered.SecretsClass == "" {
		return p, nil
	}
	there, err := on.deployer.Lent(ctx, p.rendered.Namespace)
	if err != nil {
		return nil, err
	}
	next := *p
	next.Stack = p.withLent(there.Values)
	return &next, nil
}

// targetsOn are the targets on a cluster, whose secrets may come with the first pod.
func (p *project) targetsOn(ctx context.Context, on *connection) []health.Target {
	targets := p.targets(on.lines)
	if p.rendered.SecretsClass == "" {
		return targets
	}
	for i := range targets {
		targets[i].Credentials = func() (map[string]string, error) {
			there, err := on.deployer.Lent(ctx, p.rendered.Namespace)
			return there.Values, err
		}
	}
	return targets
}

// withLent returns the same with the secrets that a Secret of somebody else's has.
func (s *Stack) withLent(values map[string]string) *Stack {
	cfg := *s.cfg
	cfg.Lend(values)
	return s.withConfig(&cfg)
}

// withSecrets returns the same with secrets that the environment runs with.
func (s *Stack) withSecrets(held map[string]string) *Stack {
	cfg := *s.cfg
	cfg.WithHeld(held)
	return s.withConfig(&cfg)
}

// ignoreSecrets keeps secrets out of git, where there are or may be any.
func (s *Stack) ignoreSecrets(cfg *config.Config) error {
	if cfg.SecretsMissing && len(cfg.Secrets) == 0 {
		return nil
	}
	if cfg.Sealed != "" {
		if ignored, _ := gitignore.Ignored(cfg.Sealed); ignored {
			s.sink.Emit(event.Notice{Text: "git ignores " + cfg.SecretsFile() + ", which others need", Hint: "a line `!" + filepath.Base(cfg.Sealed) + "` in config/secrets/.gitignore has it committed"})
		}
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

// secretsThere asks the cluster for the secrets that the environment runs with, and on a
// cluster that others use too for those of a Secret of somebody else's.
// A cluster of zr's own that was stopped is started, where what is rendered says with
// which ports; one that does not exist holds none.
func (p *project) secretsThere(ctx context.Context) (held, lent map[string]string, err error) {
	provider := p.provider(nil)
	c, err := provider.Find(ctx)
	if errors.Is(err, cluster.ErrNotFound) {
		return nil, nil, nil
	}
	if errors.Is(err, cluster.ErrDown) && p.can().Own && p.rendered != nil {
		c, err = provider.Ensure(ctx, p.sink)
	}
	if errors.Is(err, engine.ErrNone) {
		return nil, nil, cmp.Or(p.preflight(ctx, provider, true), err) // which says what to do
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := p.deployerOn(c, "")
	if err != nil {
		return nil, nil, err
	}
	if held, err = d.Held(ctx); err != nil || held != nil || p.can().Own || p.rendered == nil {
		return held, nil, err
	}
	there, err := d.Lent(ctx, p.rendered.Namespace)
	return nil, there.Values, err
}

// unseal returns the same with the secrets of its sealed file, where it has one and they
// are not known yet.
func (s *Stack) unseal(ctx context.Context) (*Stack, error) { return s.unsealFrom(ctx, s.cfg) }

// unsealFrom is unseal for a config of which an older one may know the secrets: nobody is
// asked for a file that is the same still.
func (s *Stack) unsealFrom(ctx context.Context, known *config.Config) (*Stack, error) {
	if !s.cfg.SecretsSealed() {
		return s, nil
	}
	cfg := *s.cfg
	data, err := sealed.Read(cfg.Sealed)
	if err != nil {
		return nil, fault.WithCode(fmt.Errorf("reading the secrets: %w", err), fault.Usage, "")
	}
	if cfg.UnsealAs(known, data) {
		return s.withConfig(&cfg), nil
	}
	text, err := sealed.Open(ctx, cfg.Sealed, cfg.SecretsFile(), data)
	if err == nil {
		err = cfg.Unseal(data, text)
	}
	if err != nil {
		return nil, err
	}
	return s.withConfig(&cfg), nil
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
func (p *project) borrowSecrets(ctx context.Context, on *connection) (*project, error) {
	if !p.cfg.SecretsMissing {
		return p, nil
	}
	held, err := on.deployer.Held(ctx)
	if err != nil {
		return p, err
	}
	if len(held) > 0 && p.rendered.SecretsClass == "" {
		return p.withSecrets(held).render(ctx)
	}
	if !p.can().Own {
		lent, err := on.deployer.Lent(ctx, p.rendered.Namespace)
		if err != nil {
			return p, err
		}
		if lent.Values != nil {
			return p.withLent(lent.Values).render(ctx)
		}
	}
	if p.cfg.SecretsUnknown() && p.rendered.MakesSecrets() {
		return p.withSecrets(nil).render(ctx) // and say what is missing
	}
	return p, nil
}

// keepSecrets writes the secrets of a running `zr dev` back where their file has
// gone since. Those of a Secret of somebody else's stay as they were.
func (s *Stack) keepSecrets(next *config.Config) error {
	if next.SecretsMissing && s.cfg.SecretsLent {
		next.Lend(s.cfg.Secrets)
		return nil
	}
	if !next.SecretsMissing || s.cfg.SecretsMissing {
		return nil
	}
	if s.cfg.Sealed != "" {
		return fault.WithCode(fmt.Errorf("%s has gone, and the environment runs with what was in it", s.cfg.SecretsFile()), fault.Usage, "put it back; zr writes nothing of it into a plain file")
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
