package stack

import "context"

// Manifests builds what changed, since images are pinned by digest, and returns
// what an apply would send, as YAML documents without the values of secrets. They
// are a function of what is committed: the same on every machine. It asks no cluster.
func (s *Stack) Manifests(ctx context.Context) ([]byte, error) {
	cfg := *s.cfg
	cfg.Secrets = map[string]string{}
	for _, key := range s.cfg.SecretKeys() {
		cfg.Secrets[key] = ""
	}
	s = s.withConfig(&cfg)
	if err := s.render(ctx); err != nil {
		return nil, err
	}
	if err := s.cfg.CheckSources(); err != nil {
		return nil, err
	}
	built, _, err := s.build(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := s.pin(ctx, built, false); err != nil {
		return nil, err
	}
	return s.rendered.Manifests()
}
