package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"zr/pkg/cmdline"
	"zr/pkg/fault"
	"zr/pkg/ticket"
)

// loginLink returns a link that logs the user in once, at the first Service that
// takes such links and has answered, and "" where there is none.
func (p *project) loginLink(asked []endpoint) (string, error) {
	for _, e := range asked {
		key := p.cfg.Secrets[e.service.LoginKey]
		if e.service.LoginKey == "" || key == "" || e.err != nil || e.scheme == "" {
			continue
		}
		text, err := ticket.Make(key, cmp.Or(os.Getenv("USER"), "somebody"), "operator", time.Now())
		if err != nil {
			return "", err
		}
		return e.url() + "/login#" + text, nil
	}
	return "", nil
}

// LoginLink returns a link that logs the user in to the dashboard of the running
// environment: it can be used once, within ticket.Life.
func (s *Stack) LoginLink(ctx context.Context) (string, error) {
	if s.cfg.Dashboard {
		return s.dashboardLogin(ctx)
	}
	return s.ownLogin(ctx)
}

// ownLogin is LoginLink where the environment has its dashboard among its services.
func (s *Stack) ownLogin(ctx context.Context) (string, error) {
	p, on, err := s.find(ctx)
	if err != nil {
		return "", err
	}
	defer on.close()
	found, err := p.lookAtPorts(ctx, on)
	if err != nil {
		return "", err
	}
	link, err := p.loginLink(found.asked)
	if err != nil || link != "" {
		return link, err
	}
	return "", p.noLogin(found.asked, on.lines)
}

// noLogin says why there is no login link.
func (p *project) noLogin(asked []endpoint, lines cmdline.Run) error {
	hint := "`" + lines.Zr("up", "--dashboard") + "` brings zr's own dashboard up beside it; a Service takes links that has the annotation zr.dev/login-key, " +
		"which names a secret of config/secrets"
	for _, e := range asked {
		key := e.service.LoginKey
		if key != "" {
			hint = "`" + lines.Zr("status") + "` says what runs"
		}
		if key != "" && p.cfg.Secrets[key] == "" {
			return fault.Hint(fmt.Errorf("login links of service %q are signed with the secret %s, which %s does not have", e.service.Name, key, p.cfg.SecretsFile()),
				"add "+key+"= with 32 random characters to that file, then `"+lines.Zr("up")+"`")
		}
	}
	return fault.Hint(errors.New("no service of this environment that takes login links answers"), hint)
}
