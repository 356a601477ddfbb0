package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/gitignore"
)

// IgnoreSecrets makes sure that git does not take the secrets file, before it is
// made and where somebody else made it. It returns the ignore file that it wrote,
// relative to the project's folder, or "" where there was nothing to do: git
// ignores the file already, or nothing here is in a work tree of git.
func (c *Config) IgnoreSecrets() (wrote string, err error) {
	dir := filepath.Dir(secretsFile(c.Root, c.Env))
	wrote = rel(c.Root, filepath.Join(dir, ".gitignore"))
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("keeping secrets out of git by %s: %w", wrote, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	if ignored, tree := gitignore.Ignored(secretsFile(c.Root, c.Env)); ignored || !tree {
		return "", nil
	}
	file := filepath.Join(dir, ".gitignore")
	text, err := bounded.ReadFile(file, bounded.Text)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	lines := string(text)
	if lines != "" && !strings.HasSuffix(lines, "\n") {
		lines += "\n"
	}
	if err := os.WriteFile(file, []byte(lines+"*.env\n!*.sops.env\n"), 0o644); err != nil {
		return fail(err)
	}
	return wrote, nil
}
