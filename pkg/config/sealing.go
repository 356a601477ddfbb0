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
	"zr/pkg/fault"
)

// Place is where the secrets of an environment are, whatever is in its files: who seals
// them has both a plain and a sealed one for a moment.
type Place struct {
	Plain      string // paths
	Sealed     string // by age
	Recipients string // the public keys that it is sealed for, one on a line
	config     *Config
}

// PlaceOf returns that of an environment of the project at root, which has to be there.
func PlaceOf(root, env string) (Place, error) {
	if !slices.Contains(Envs(root), env) {
		return Place{}, fault.WithCode(fmt.Errorf("no environment %q: config/%s.yaml does not exist", env, env), fault.Usage,
			Suggest("environments here: "+strings.Join(Envs(root), ", "), env, Envs(root)))
	}
	c := &Config{Root: root, Env: env}
	for _, file := range sealedFiles(root, env)[1:] {
		if _, err := os.Stat(file); err == nil {
			return Place{}, fault.WithCode(fmt.Errorf("%s is a file of sops", rel(root, file)), fault.Usage, "`sops edit "+rel(root, file)+"` changes it")
		}
	}
	base := filepath.Join(root, "config", "secrets", env)
	return Place{Plain: secretsFile(root, env), Sealed: base + ageSuffix, Recipients: base + ".recipients", config: c}, nil
}

// Name is what messages call a file.
func (p Place) Name(file string) string { return rel(p.config.Root, file) }

// Check says what is wrong with the text of secrets that are in a file, without a value.
func (p Place) Check(file string, text []byte) error {
	if _, problems := parseEnv(text, p.Name(file)); len(problems) > 0 {
		return problems.asFault()
	}
	return nil
}

// Ignore is Config.IgnoreSecrets.
func (p Place) Ignore() (wrote string, err error) { return p.config.IgnoreSecrets() }

// WithSecrets returns the text of secrets with other values of some keys, and the keys of
// which the values differed, sorted. Other lines stay. name is that of the text's file.
func WithSecrets(name string, text []byte, values map[string]string) (edited []byte, changed []string, err error) {
	was, problems := parseEnv(text, name)
	if len(problems) > 0 {
		return nil, nil, problems.asFault()
	}
	for key := range values {
		if !secretKey.MatchString(key) {
			if name, _, both := strings.Cut(key, "="); both { // what is behind may be the secret
				return nil, nil, fault.WithCode(fmt.Errorf("%q comes without its value", name), fault.Usage, "the value is read from the standard input")
			}
			return nil, nil, fault.WithCode(fmt.Errorf("%q cannot be a key", key), fault.Usage, "letters, digits and '_'")
		}
	}
	wanted := maps.Clone(was)
	maps.Copy(wanted, values)
	if changed = different(was, wanted); len(changed) == 0 {
		return text, nil, nil
	}
	edited = []byte(new(MadeSecrets).fill(string(text), wanted, ""))
	if now, problems := parseEnv(edited, name); len(problems) > 0 || !maps.Equal(now, wanted) {
		return nil, nil, errors.New("its lines cannot be edited by a program")
	}
	return edited, changed, nil
}

// WriteWhole gives a file its content, whole or not at all. One that is there keeps its
// mode, and a symlink stays one.
func WriteWhole(file string, data []byte, mode fs.FileMode) error {
	if to, err := filepath.EvalSymlinks(file); err == nil {
		file = to
	}
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode() & fs.ModePerm
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".*-"+filepath.Base(file)) // what git ignores by its end, this is, too
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // it is gone where it took the file's place
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Chmod(mode), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

// ReadText returns the content of a file that people write, and nil where it is not there.
func ReadText(file string) ([]byte, error) {
	text, err := bounded.ReadFile(file, bounded.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}
