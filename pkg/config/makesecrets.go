package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/bounded"
)

// MadeSecrets says where the values of a secrets file that was made are from.
type MadeSecrets struct {
	File  string   // relative to the project's folder
	Taken []string // the keys whose values were taken over
	New   []string // the keys that got random values
}

// MakeSecrets writes the secrets file that is missing, mode 0600, and reads it. It has
// the lines of its example. Values that are held already stay, because the environment
// runs with them. Of the others, those that begin with "mock-" become random ones. What
// is held and in no example follows. The file appears whole or not at all, and one that
// another process made first is kept.
func (c *Config) MakeSecrets(held map[string]string) (MadeSecrets, error) {
	file := secretsFile(c.Root, c.Env)
	made := MadeSecrets{File: rel(c.Root, file)}
	fail := func(err error) (MadeSecrets, error) {
		return MadeSecrets{}, fmt.Errorf("making %s: %w", made.File, err)
	}
	example, err := bounded.ReadFile(file+exampleSuffix, bounded.Text)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	if err := writeNew(file, made.fill(string(example), held, "# The environment runs with it.\n")); err != nil {
		return fail(err)
	}
	if problems := c.loadSecrets(); len(problems) > 0 {
		return MadeSecrets{}, problems.asFault()
	}
	return made, nil
}

// WithHeld takes values that an environment runs with in place of those of an
// example, and writes nothing.
func (c *Config) WithHeld(held map[string]string) {
	values := maps.Clone(c.Secrets)
	if values == nil {
		values = map[string]string{}
	}
	maps.Copy(values, held)
	c.Secrets = values
}

// Lend takes what a Secret of somebody else's in the cluster has, in place of a file; nil
// where that is not known.
func (c *Config) Lend(values map[string]string) { c.Secrets, c.SecretsLent = values, true }

// fill returns the text of the file that an example becomes. above stands over what is
// held and in no line of it.
func (made *MadeSecrets) fill(example string, held map[string]string, above string) string {
	left, end := maps.Clone(held), "\n"
	if strings.Contains(example, "\r\n") { // its lines end as those of Windows
		end = "\r\n"
	}
	lines := strings.SplitAfter(example, "\n")
	for i, line := range lines {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if key = strings.TrimPrefix(key, "export "); !ok || !secretKey.MatchString(key) {
			continue
		}
		known, isHeld := left[key]
		switch {
		case isHeld:
			delete(left, key)
			made.Taken = append(made.Taken, key)
			// A line that says the same by the keys above stays as it is.
			if said, _ := parseEnv([]byte(strings.Join(lines[:i+1], "")), ""); said[key] != known {
				lines[i] = key + "=" + envValue(known) + end
			}
		case strings.HasPrefix(strings.TrimLeft(value, `'"`), mockPrefix):
			made.New = append(made.New, key)
			lines[i] = key + "=" + RandomSecret() + end
		}
	}
	text := strings.Join(lines, "")
	if len(left) == 0 {
		return text
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += end
	}
	text += above
	for _, key := range slices.Sorted(maps.Keys(left)) {
		made.Taken = append(made.Taken, key)
		text += key + "=" + envValue(left[key]) + end
	}
	return text
}

// envValue writes a value on one line so that the file gives it back: as it is where that
// will do, otherwise in quotes.
func envValue(value string) string {
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\n", `\n`, "\r", `\r`).Replace(value)
	for _, text := range []string{value, "'" + value + "'"} {
		if got, problems := parseEnv([]byte("A="+text), ""); len(problems) == 0 && len(got) == 1 && got["A"] == value && !strings.Contains(value, "\n") {
			return text
		}
	}
	return `"` + escaped + `"`
}

// writeNew makes a file for the user alone, unless there is one.
func writeNew(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".secrets-*.env")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Close()); err != nil { // CreateTemp made it with mode 0600
		return err
	}
	if err := os.Link(temp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
