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

// secretLength gives 32 of 36 characters 165 bits, more than the 128 that a
// password needs to be beyond guessing.
const secretLength = 32

// loadSecrets reads config/secrets/<env>.env. Where only <env>.env.example is
// there, it is read instead, or the real file is generated first: mode 0600, with
// a random value for each that begins with "mock-". A project without either has
// no secrets.
func loadSecrets(root, env string, generate bool) (map[string]string, Problems) {
	file := filepath.Join(root, "config", "secrets", env+".env")
	name := rel(root, file)
	data, err := bounded.ReadFile(file, bounded.Text)
	if errors.Is(err, fs.ErrNotExist) && generate {
		data, err = generateSecrets(file)
	} else if errors.Is(err, fs.ErrNotExist) {
		name += ".example"
		data, err = bounded.ReadFile(file+".example", bounded.Text)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, Problems{{File: name, Text: err.Error()}}
	}
	values, problems := parseEnv(data, name)
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		problems = append(problems, Problem{File: name, Text: fmt.Sprintf("others may read the secrets: mode %#o", info.Mode().Perm()), Hint: "chmod 600 " + name})
	}
	return values, problems
}

// generateSecrets makes the secrets file from its example. The file appears
// whole or not at all, and one that another process made first is kept.
func generateSecrets(file string) ([]byte, error) {
	example, err := bounded.ReadFile(file+".example", bounded.Text)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(example), "\n")
	for i, line := range lines {
		key, value, ok := strings.Cut(line, "=")
		if ok && strings.HasPrefix(value, mockPrefix) && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines[i] = key + "=" + randomSecret() + "\n"
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".secrets-*.env")
	if err != nil {
		return nil, fmt.Errorf("generating %s: %w", file, err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(strings.Join(lines, ""))
	if err := errors.Join(err, temp.Close()); err != nil { // CreateTemp made it with mode 0600
		return nil, fmt.Errorf("generating %s: %w", file, err)
	}
	if err := os.Link(temp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("generating %s: %w", file, err)
	}
	return os.ReadFile(file)
}

func randomSecret() string {
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
