package stack

import "context"

// Manifests builds what changed, since images are pinned by digest, and returns
// what an apply would send, as YAML documents without the values of secrets. They
// are a function of what is committed: the same on every machine. It asks no cluster.
func (s *Stack) Manifests(ctx context.Context) ([]byte, error) {
	if !s.cfg.SecretsUnknown() {
		cfg := *s.cfg
		cfg.Secrets = map[string]string{}
		for _, key := range s.cfg.SecretKeys() {
			cfg.Secrets[key] = ""
		}
		s = s.withConfig(&cfg)
	}
	p, err := s.render(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.CheckSources(); err != nil {
		return nil, err
	}
	built, _, err := p.build(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := p.pin(ctx, built, nil); err != nil {
		return nil, err
	}
	return p.rendered.Manifests()
}
