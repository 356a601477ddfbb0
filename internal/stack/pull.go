package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"

	"zr/pkg/cmdline"
	"zr/pkg/deploy"
	"zr/pkg/fault"
)

// Pulled is a file of the project that has taken over what was changed in the cluster.
type Pulled struct {
	File   string   `json:"file"`   // relative to the project's folder
	Keys   []string `json:"keys"`   // that were set, changed or removed, sorted
	Source string   `json:"source"` // what had changed them, in the words of the cluster
}

// Pull writes settings and secrets that were changed in the cluster into the project's
// files, and returns what it wrote. It changes nothing in the cluster.
func (s *Stack) Pull(ctx context.Context) ([]Pulled, error) {
	s, err := s.unseal(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.renderWith(ctx, s.renderOptions())
	if err != nil {
		return nil, err
	}
	on, err := p.attach(ctx)
	if err != nil {
		return nil, err
	}
	defer on.close()
	settings, err := on.deployer.Settings(ctx)
	if err != nil {
		return nil, err
	}
	secrets, err := on.deployer.Secrets(ctx)
	if err != nil {
		return nil, err
	}
	pulled := []Pulled{}
	var failed []error
	take := func(file string, says map[string]string, has deploy.Content, write func(map[string]string) ([]string, error)) {
		if has.Source == "" || path.Dir(has.Source) == path.Dir(file) || maps.Equal(says, has.Values) {
			return
		}
		keys, err := write(has.Values)
		if err != nil {
			failed = append(failed, err)
		} else if len(keys) > 0 {
			pulled = append(pulled, Pulled{file, keys, has.Source})
		}
	}
	take(s.cfg.Name(), s.cfg.Settings, settings, s.cfg.TakeSettings)
	if !s.cfg.SecretsMissing { // a run makes the file of those that the cluster has
		take(s.cfg.SecretsFile(), s.cfg.Secrets, secrets, s.takeSecrets(ctx))
	}
	return pulled, errors.Join(failed...)
}

// diverged refuses to put settings and secrets back that were changed in the cluster,
// as long as nobody has said so.
func (s *Stack) diverged(changes *deploy.ChangeSet, lines cmdline.Run) error {
	if changes == nil || len(changes.Diverged) == 0 || s.options.Overwrite {
		return nil
	}
	var said []string
	for _, d := range changes.Diverged {
		var entries []string
		for _, field := range d.Fields {
			entries = append(entries, fmt.Sprintf("%s is %s there and %s in the file", Entry(field.Path), shown(field.Old), shown(field.New)))
		}
		said = append(said, fmt.Sprintf("%s %q was changed in the cluster, by %q, and %s says something else: %s", d.Kind, d.Name, d.Source, d.File, strings.Join(entries, "; ")))
	}
	verb := s.options.Verb
	if verb != "dev" {
		verb = "up"
	}
	return fault.WithCode(errors.New(strings.Join(said, "\n")), fault.Usage,
		fmt.Sprintf("`%s` takes it over into the project's files; `%s` puts back what they say", lines.Zr("config", "pull"), lines.Zr(verb, "--overwrite")))
}

// Entry returns the key of a path into the data of a ConfigMap or Secret.
func Entry(path string) string {
	entry := strings.TrimPrefix(path, ".data")
	if quoted, ok := strings.CutPrefix(entry, "["); ok { // a key with dots
		var key string
		if json.Unmarshal([]byte(strings.TrimSuffix(quoted, "]")), &key) == nil {
			return key
		}
	}
	return strings.TrimPrefix(entry, ".")
}

// shown is a value as a message has it.
func shown(v any) string {
	if v == nil {
		return "not set"
	}
	const longest = 60
	text := []rune(fmt.Sprint(v))
	if len(text) > longest {
		text = append(text[:longest], '…')
	}
	return fmt.Sprintf("%q", string(text))
}
