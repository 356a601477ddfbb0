package config

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"zr/pkg/bounded"
)

// mockPrefix marks the values of an example that stand for a real secret.
const mockPrefix = "mock-"

// exampleSuffix is what the name of an example has behind that of the file.
const exampleSuffix = ".example"

// secretLength gives 32 of 36 characters 165 bits, more than the 128 that a
// password needs to be beyond guessing.
const secretLength = 32

// secretsFile is the path of an environment's secrets.
func secretsFile(root, env string) string {
	return filepath.Join(root, "config", "secrets", env+".env")
}

// loadSecrets reads config/secrets/<env>.env, or where that is missing its
// example. A project without either has no secrets.
func loadSecrets(root, env string) (values map[string]string, missing bool, problems Problems) {
	file := secretsFile(root, env)
	name := rel(root, file)
	data, err := bounded.ReadFile(file, bounded.Text)
	if errors.Is(err, fs.ErrNotExist) {
		missing = true
		name += exampleSuffix
		data, err = bounded.ReadFile(file+exampleSuffix, bounded.Text)
	}
	if missing && errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, missing, Problems{{File: name, Text: err.Error()}}
	}
	values, problems = parseEnv(data, name)
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		problems = append(problems, Problem{File: name, Text: fmt.Sprintf("others may read the secrets: mode %#o", info.Mode().Perm()), Hint: "chmod 600 " + name})
	}
	return values, missing, problems
}

// SecretsFile is the path of the environment's secrets, relative to the
// project's folder.
func (c *Config) SecretsFile() string { return rel(c.Root, secretsFile(c.Root, c.Env)) }

// SecretKeys returns the keys of the example, which is committed, and without one
// those of the secrets; sorted.
func (c *Config) SecretKeys() []string {
	data, err := bounded.ReadFile(secretsFile(c.Root, c.Env)+exampleSuffix, bounded.Text)
	if err != nil {
		return sortedKeys(c.Secrets)
	}
	values, _ := parseEnv(data, "")
	return sortedKeys(values)
}

// MockSecrets returns the keys of the secrets that have a value of an example,
// sorted: everybody who can read the project knows it. Those of a file that is
// missing do not count, as it is made with others.
func (c *Config) MockSecrets() []string {
	var keys []string
	for _, key := range sortedKeys(c.Secrets) {
		if !c.SecretsMissing && strings.HasPrefix(c.Secrets[key], mockPrefix) {
			keys = append(keys, key)
		}
	}
	return keys
}

// RandomSecret returns a password of secretLength letters and digits.
func RandomSecret() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	// 252 is the largest multiple of 36 in a byte: what lies above would make
	// the first letters likelier.
	const limit = 252
	secret := make([]byte, 0, secretLength)
	for buf := make([]byte, secretLength); len(secret) < secretLength; {
		_, _ = rand.Read(buf) // crypto/rand.Read never fails
		for _, b := range buf {
			if b < limit && len(secret) < secretLength {
				secret = append(secret, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(secret)
}
