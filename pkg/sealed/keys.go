package sealed

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"

	"zr/pkg/bounded"
	"zr/pkg/fault"
)

// The places of keys, in the order in which they are tried: zr's own, then those of sops,
// which has its keys in a file if no variable says otherwise.
const (
	keyVariable      = "ZR_AGE_KEY"
	keyFileVariable  = "ZR_AGE_KEY_FILE"
	sopsVariable     = "SOPS_AGE_KEY"
	sopsFileVariable = "SOPS_AGE_KEY_FILE"
)

// WithoutKeys returns an environment without the keys that are in it, for the programs of
// a project, none of which opens its secrets.
func WithoutKeys(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == keyVariable || name == sopsVariable
	})
}

// keys are what opens sealed files.
type keys struct {
	identities []age.Identity
	from       []string // the places that had one
	plugins    bool     // one of them had keys of plugins, which are programs of others
}

// KeyFile is where keys are looked for that no variable has: the file of sops.
func KeyFile() (string, error) {
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" { // where sops looks on every system
		return filepath.Join(dir, "sops", "age", "keys.txt"), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the file of keys: %w", err)
	}
	return filepath.Join(dir, "sops", "age", "keys.txt"), nil
}

// readKeys collects the keys of all places.
func readKeys() (*keys, error) {
	var k keys
	for _, name := range []string{keyVariable, keyFileVariable, sopsVariable, sopsFileVariable} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		if strings.HasSuffix(name, "_FILE") {
			text, err := bounded.ReadFile(value, bounded.Text)
			if err != nil {
				return nil, fmt.Errorf("reading the key of %s: %w", name, err)
			}
			value = string(text)
		}
		if err := k.add(name, value); err != nil {
			return nil, err
		}
	}
	file, err := KeyFile()
	if err != nil {
		return &k, nil // a machine without a home, such as a pipeline's
	}
	text, err := bounded.ReadFile(file, bounded.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return &k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	return &k, k.add(file, string(text))
}

// add takes the keys of a place: lines as age-keygen writes them, or a private key of
// SSH. What is wrong with one is told without a letter of it.
func (k *keys) add(place, text string) error {
	before := len(k.identities)
	if strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN ") {
		identity, err := agessh.ParseIdentity([]byte(text))
		if err != nil {
			return fault.Hint(fmt.Errorf("%s has no private key of SSH that can be used", place), "one of the type ed25519 or RSA, without a passphrase")
		}
		k.identities = append(k.identities, identity)
	} else {
		for i, line := range strings.Split(text, "\n") {
			switch line = strings.TrimSpace(line); {
			case line == "" || strings.HasPrefix(line, "#"):
				continue
			case strings.HasPrefix(line, "AGE-PLUGIN-"):
				k.plugins = true
				continue
			}
			identities, err := age.ParseIdentities(strings.NewReader(line))
			if err != nil {
				return fault.Hint(fmt.Errorf("line %d of %s is no key of age", i+1, place), "a key is a line that begins with AGE-SECRET-KEY-")
			}
			k.identities = append(k.identities, identities...)
		}
	}
	if len(k.identities) > before {
		k.from = append(k.from, place)
	}
	return nil
}

// missing says that nothing here opens a file.
func (k *keys) missing() error {
	what := "no key is here to open it"
	if n := len(k.identities); n > 0 {
		what = fmt.Sprintf("none of the keys that are here opens it: %d of %s", n, strings.Join(k.from, ", "))
	}
	if k.plugins {
		what += "; keys of plugins are not tried"
	}
	file, _ := KeyFile()
	return fault.Hint(errors.New(what), fmt.Sprintf("%s or %s names the key, or %s has it; who can open the file can seal it for yours too, which `zr secrets keygen` makes and tells",
		keyVariable, keyFileVariable, cmp.Or(file, "sops/age/keys.txt of your configuration")))
}

// Own is a key of this machine.
type Own struct {
	Recipient string `json:"recipient"`      // the public key
	File      string `json:"file,omitempty"` // that has the private key, where it was made
}

// OwnKey returns the first key of this machine, and makes one in KeyFile where there is
// none.
func OwnKey() (Own, error) {
	k, err := readKeys()
	if err != nil {
		return Own{}, err
	}
	for _, identity := range k.identities {
		switch identity := identity.(type) {
		case *age.X25519Identity:
			return Own{Recipient: identity.Recipient().String()}, nil
		case *age.HybridIdentity:
			return Own{Recipient: identity.Recipient().String()}, nil
		}
	}
	file, err := KeyFile()
	if err != nil {
		return Own{}, err
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return Own{}, fmt.Errorf("making a key: %w", err)
	}
	own := Own{identity.Recipient().String(), file}
	if err := appendKey(file, "# public key: "+own.Recipient+"\n"+identity.String()+"\n"); err != nil {
		return Own{}, fmt.Errorf("making a key: %w", err)
	}
	return own, nil
}

// appendKey adds lines to a file for the user alone.
func appendKey(file, lines string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		if info.Mode().Perm()&0o077 != 0 {
			return errors.Join(fault.Hint(fmt.Errorf("others may read %s", file), "chmod 600 "+file), f.Close())
		}
		lines = "\n" + lines // what is there may lack the end of its last line
	}
	_, err = f.WriteString(lines)
	return errors.Join(err, f.Close())
}
