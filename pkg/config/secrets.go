package config

import (
	"bytes"
	"cmp"
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

// sealedSuffixes are what the names of sealed files have behind that of the environment:
// age's, and those that sops knows by their ends.
var sealedSuffixes = []string{ageSuffix, ".sops.env", ".sops.yaml", ".sops.json"}

const ageSuffix = ".env.age"

// sealedFiles are the paths of files that an environment's secrets may be sealed in.
func sealedFiles(root, env string) []string {
	files := make([]string, len(sealedSuffixes))
	for i, suffix := range sealedSuffixes {
		files[i] = filepath.Join(root, "config", "secrets", env+suffix)
	}
	return files
}

// SecretsFiles are the paths of all files that the environment's secrets may be in.
func (c *Config) SecretsFiles() []string {
	return append(sealedFiles(c.Root, c.Env), secretsFile(c.Root, c.Env))
}

// loadSecrets reads config/secrets/<env>.env, or where that is missing its
// example. A project without either has no secrets. Those of a sealed file are left in
// it, and the values are those of the example then, too.
func (c *Config) loadSecrets() (problems Problems) {
	file := secretsFile(c.Root, c.Env)
	name := rel(c.Root, file)
	for _, sealed := range sealedFiles(c.Root, c.Env) {
		if _, err := os.Stat(sealed); err != nil {
			continue
		}
		if c.Sealed != "" {
			problems = append(problems, twoFiles(rel(c.Root, c.Sealed), rel(c.Root, sealed)))
		}
		c.Sealed = sealed
	}
	data, err := bounded.ReadFile(file, bounded.Text)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing {
		name += exampleSuffix
		data, err = bounded.ReadFile(file+exampleSuffix, bounded.Text)
	} else if c.Sealed != "" {
		return append(problems, twoFiles(name, rel(c.Root, c.Sealed)))
	}
	c.SecretsMissing = missing && c.Sealed == ""
	if missing && errors.Is(err, fs.ErrNotExist) {
		return problems
	}
	if err != nil {
		return append(problems, Problem{File: name, Text: err.Error()})
	}
	values, more := parseEnv(data, name)
	c.Secrets, problems = values, append(problems, more...)
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		problems = append(problems, Problem{File: name, Text: fmt.Sprintf("others may read the secrets: mode %#o", info.Mode().Perm()), Hint: "chmod 600 " + name})
	}
	return problems
}

// twoFiles says that nobody can tell which of two files counts.
func twoFiles(one, other string) Problem {
	return Problem{File: one, Text: "the secrets are in " + other + " as well", Hint: "keep one of the two"}
}

// Unseal takes what is in the sealed file: lines, or JSON of a file that is YAML or JSON.
// data is what the file itself has.
func (c *Config) Unseal(data, text []byte) error {
	read := parseEnv
	if filepath.Ext(c.Sealed) == ".yaml" || filepath.Ext(c.Sealed) == ".json" {
		read = parseJSON
	}
	values, problems := read(text, c.SecretsFile())
	if len(problems) > 0 {
		return problems.asFault()
	}
	c.Secrets, c.Opened = values, data
	return nil
}

// UnsealAs takes what another config of the environment has of the same sealed file, and
// says whether that has the same in it still.
func (c *Config) UnsealAs(other *Config, data []byte) bool {
	same := c.Sealed == other.Sealed && other.Opened != nil && bytes.Equal(other.Opened, data)
	if same {
		c.Secrets, c.Opened = other.Secrets, data
	}
	return same
}

// SecretsSealed says that Secrets are not those of the environment: their file is sealed,
// and Unseal was not called.
func (c *Config) SecretsSealed() bool { return c.Sealed != "" && c.Opened == nil }

// SecretsUnknown says that not even their keys are known: they are sealed, without an
// example beside them, or there is no file, and a cluster that others use too may have
// them from somebody else.
func (c *Config) SecretsUnknown() bool {
	elsewhere := c.SecretsSealed() || c.SecretsLent || c.SecretsMissing && c.Cluster.Provider != ProviderKind
	return elsewhere && c.Secrets == nil
}

// SecretsFile is the path of the environment's secrets, relative to the
// project's folder.
func (c *Config) SecretsFile() string {
	return rel(c.Root, cmp.Or(c.Sealed, secretsFile(c.Root, c.Env)))
}

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
// missing do not count, as it is made with others, nor do those of one that is sealed.
func (c *Config) MockSecrets() []string {
	var keys []string
	for _, key := range sortedKeys(c.Secrets) {
		if !c.SecretsMissing && !c.SecretsSealed() && strings.HasPrefix(c.Secrets[key], mockPrefix) {
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
