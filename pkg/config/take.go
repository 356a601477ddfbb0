package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/fault"
)

// Name is what messages call the environment's file: its path, relative to the
// project's folder.
func (c *Config) Name() string { return rel(c.Root, c.File) }

// TakeSettings writes settings into the environment's file in place of those that it
// has, and returns the keys that differed, sorted. Comments, order and all else of the
// file stay. The file is replaced as a whole or not at all.
func (c *Config) TakeSettings(settings map[string]string) ([]string, error) {
	return c.editFile(settings, func(map[string]string) error { return nil })
}

// OtherSettingsError says that a file has other settings than it was thought to have.
type OtherSettingsError struct {
	File string   // relative to the project's folder
	Keys []string // of what differs, sorted
}

func (e *OtherSettingsError) Error() string {
	return fmt.Sprintf("%s has something else for %s", e.File, strings.Join(e.Keys, ", "))
}

// ChangeSettings is TakeSettings for a file that has the settings before. The error is an
// *OtherSettingsError where it has others; nothing is written then.
func (c *Config) ChangeSettings(before, settings map[string]string) ([]string, error) {
	return c.editFile(settings, func(has map[string]string) error {
		if keys := different(has, before); len(keys) > 0 {
			return &OtherSettingsError{c.Name(), keys}
		}
		return nil
	})
}

// editFile writes settings into the environment's file where check takes those that it
// has.
func (c *Config) editFile(settings map[string]string, check func(has map[string]string) error) ([]string, error) {
	keys, err := replaceFile(c.File, func(data []byte) ([]byte, []string, error) {
		was, problems := parse(data, c.Name(), c.Root, c.Env)
		if len(problems) > 0 {
			return nil, nil, problems.asFault()
		}
		if err := check(was.Settings); err != nil {
			return nil, nil, err
		}
		changed := different(was.Settings, settings)
		if len(changed) == 0 {
			return data, nil, nil
		}
		edited, err := editSettings(data, settings)
		if err != nil {
			return nil, nil, err
		}
		now, problems := parse(edited, c.Name(), c.Root, c.Env)
		if len(problems) > 0 || !maps.Equal(now.Settings, settings) {
			return nil, nil, fault.Hint(errors.New("its `settings` cannot be edited by a program"), "write them by hand")
		}
		if was.Settings, now.Settings = nil, nil; !reflect.DeepEqual(was, now) {
			return nil, nil, fault.Hint(errors.New("editing its `settings` would change more than these"), "write them by hand")
		}
		return edited, changed, nil
	})
	if err != nil {
		return nil, fmt.Errorf("changing %s: %w", c.Name(), err)
	}
	return keys, nil
}

// TakeSecrets writes values that the environment runs with into its file of secrets, and
// returns the keys that differed, sorted. Other lines stay.
func (c *Config) TakeSecrets(held map[string]string) ([]string, error) {
	name := c.SecretsFile()
	keys, err := replaceFile(secretsFile(c.Root, c.Env), func(data []byte) ([]byte, []string, error) {
		edited, changed, err := WithSecrets(name, data, held)
		if err != nil && fault.HintOf(err) == "" {
			err = fault.Hint(err, "move it away, and it is written anew with the values that the cluster has")
		}
		return edited, changed, err
	})
	if err != nil {
		return nil, fmt.Errorf("changing %s: %w", name, err)
	}
	return keys, nil
}

// different returns the keys of which two maps say different things, sorted.
func different(a, b map[string]string) []string {
	var out []string
	for key, value := range a {
		if other, there := b[key]; !there || other != value {
			out = append(out, key)
		}
	}
	for key := range b {
		if _, there := a[key]; !there {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// replaceFile gives a file the content that edit makes of it, with its mode, and
// returns what edit says has changed. A symlink stays one: what it leads to is replaced.
func replaceFile(file string, edit func([]byte) ([]byte, []string, error)) ([]string, error) {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil, err
	}
	data, err := bounded.ReadFile(file, bounded.Text)
	if err != nil {
		return nil, err
	}
	edited, changed, err := edit(data)
	if err != nil || bytes.Equal(data, edited) {
		return changed, err
	}
	return changed, WriteWhole(file, edited, 0)
}
