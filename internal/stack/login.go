package stack

import (
	"context"
	"errors"
	"fmt"

	"zr/pkg/apiclient"
	"zr/pkg/cmdline"
	"zr/pkg/fault"
)

// api is where an endpoint takes login links, and whether it does.
func (p *project) api(e endpoint) (at apiclient.Address, takes bool) {
	key := p.cfg.Secrets[e.service.LoginKey]
	return apiclient.Address{Base: e.url(), Key: key}, e.service.LoginKey != "" && key != "" && e.err == nil && e.scheme != ""
}

// apiAmong is api of the first endpoint that takes login links and has answered.
func (p *project) apiAmong(asked []endpoint) (at apiclient.Address, there bool) {
	for _, e := range asked {
		if at, there = p.api(e); there {
			return at, true
		}
	}
	return apiclient.Address{}, false
}

// loginLink returns a link that logs the user in once, and "" where there is nobody to
// take it.
func (p *project) loginLink(asked []endpoint) (string, error) {
	at, there := p.apiAmong(asked)
	if !there {
		return "", nil
	}
	return at.Link()
}

// LoginLink returns a link that logs the user in to the dashboard of the running
// environment: it can be used once, within ticket.Life.
func (s *Stack) LoginLink(ctx context.Context) (string, error) {
	at, err := s.apiAddress(ctx)
	if err != nil {
		return "", err
	}
	return at.Link()
}

// apiAddress is where the api of the running environment is, or of the dashboard beside
// it.
func (s *Stack) apiAddress(ctx context.Context) (apiclient.Address, error) {
	if s.cfg.Dashboard {
		return s.dashboardAddress(ctx)
	}
	return s.ownAddress(ctx)
}

// ownAddress is apiAddress where the environment has its dashboard among its services.
func (s *Stack) ownAddress(ctx context.Context) (apiclient.Address, error) {
	p, on, err := s.find(ctx)
	if err != nil {
		return apiclient.Address{}, err
	}
	defer on.close()
	found, err := p.lookAtPorts(ctx, on)
	if err != nil {
		return apiclient.Address{}, err
	}
	at, there := p.apiAmong(found.asked)
	if !there {
		return at, p.noLogin(found.asked, on.lines)
	}
	return at, nil
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
