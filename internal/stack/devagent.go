package stack

import (
	"fmt"
	"os"
	"path/filepath"

	"zr/pkg/fault"
)

// forDev makes the stack one of dev images.
func (s *Stack) forDev() error {
	agent, err := agentPath()
	if err != nil {
		return err
	}
	token, err := devToken(s.set())
	if err != nil {
		return err
	}
	s.dev, s.agent, s.token = true, agent, token
	s.builds = s.requests()
	return nil
}

// secretsFiles are watched although git ignores them. A project need not have any.
func (s *Stack) secretsFiles() []string {
	dir := filepath.Join(s.cfg.Root, "config", "secrets")
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return []string{filepath.Join(dir, s.cfg.Env+".env")}
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
