package stack

import (
	"fmt"
	"os"
	"path/filepath"

	"zr/pkg/fault"
)

// devMode is what workloads need that are reloaded in place.
type devMode struct {
	agent string // path of the agent's program
	token string // that the agents ask for
}

// forDev returns the same with dev images for what can be reloaded in place.
func (s *Stack) forDev() (*Stack, error) {
	agent, err := agentPath()
	if err != nil {
		return nil, err
	}
	token, err := devToken(s.set())
	if err != nil {
		return nil, err
	}
	next := *s
	next.dev = &devMode{agent, token}
	return &next, nil
}

// secretsFiles are watched although git ignores them. A project need not have any.
func (s *Stack) secretsFiles() []string {
	dir := filepath.Join(s.cfg.Root, "config", "secrets")
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return s.cfg.SecretsFiles()
}

// agentPath finds the agent's program, which `make build` puts beside zr.
func agentPath() (string, error) {
	zr, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding zr-agent: %w", err)
	}
	if zr, err = filepath.EvalSymlinks(zr); err != nil {
		return "", fmt.Errorf("finding zr-agent: %w", err)
	}
	agent := filepath.Join(filepath.Dir(zr), "zr-agent")
	if _, err := os.Stat(agent); err != nil {
		return "", fault.Hint(fmt.Errorf("finding zr-agent beside %s: %w", zr, err), "`make build` makes both")
	}
	return agent, nil
}
