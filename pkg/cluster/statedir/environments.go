package statedir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Environment is what this machine knows of an environment that was brought up
// from it.
type Environment struct {
	Set      string `json:"set"`                // its name: <project>-<env>, and -<instance> where it is one
	Instance string `json:"instance,omitempty"` // see config.Config.As
	Cluster  string `json:"cluster"`            // name of the kind cluster, or of the context
	Checkout string `json:"checkout"`           // the project's folder that it was brought up from last
	// Dashboard says that a run was asked for the dashboard, and none since was asked
	// to do without.
	Dashboard bool `json:"dashboard,omitempty"`
	// Ports are those of this machine that an instance has in place of the
	// ones that the project asks for.
	Ports map[int32]int32 `json:"ports,omitempty"`
}

const environmentPrefix = "environment-"

// ReadEnvironment returns what is known of an environment, or only its name. It
// makes nothing.
func ReadEnvironment(set string) Environment {
	e := Environment{}
	if path, err := where(environmentPrefix + set); err == nil {
		if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &e) != nil {
			e = Environment{} // of another zr; it saves words and ports, and decides nothing
		}
	}
	e.Set = set
	return e
}

// Environments returns all that are known, sorted by name.
func Environments() ([]Environment, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for environments: %w", err)
	}
	var out []Environment
	for _, f := range files {
		set, ok := strings.CutPrefix(f.Name(), environmentPrefix)
		if e := ReadEnvironment(set); ok && e.Cluster != "" {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Environment) int { return strings.Compare(a.Set, b.Set) })
	return out, nil
}

// Save notes what is known of an environment.
func (e Environment) Save() error {
	path, err := file(environmentPrefix + e.Set)
	if err != nil {
		return err
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("noting environment %q: %w", e.Set, err)
	}
	return Write(path, data)
}

// Forget drops what is known of an environment.
func (e Environment) Forget() error {
	path, err := file(environmentPrefix + e.Set)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting environment %q: %w", e.Set, err)
	}
	return Unprove(e.Set)
}

// Instance returns which instance of an environment a checkout has chosen, ""
// where it has none of its own. It makes nothing.
func Instance(checkout, env string) string {
	path, err := where(choiceName(checkout, env))
	if err != nil {
		return ""
	}
	instance, err := os.ReadFile(path)
	if err != nil {
		return "" // it has chosen none
	}
	return string(instance)
}

// ChooseInstance remembers which instance of an environment a checkout has
// chosen, "" for none of its own.
func ChooseInstance(checkout, env, instance string) error {
	path, err := file(choiceName(checkout, env))
	if err != nil {
		return err
	}
	if instance != "" {
		return Write(path, []byte(instance))
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting the instance of %s: %w", checkout, err)
	}
	return nil
}

func choiceName(checkout, env string) string {
	sum := sha256.Sum256([]byte(checkout + "\n" + env))
	return "instance-" + hex.EncodeToString(sum[:8])
}

// LockEnvironments lets one process at a time choose ports.
func LockEnvironments() (unlock func(), err error) {
	path, err := Lock("")
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the environments: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil { // held for milliseconds
		f.Close()
		return nil, fmt.Errorf("locking the environments: %w", err)
	}
	return func() { f.Close() }, nil
}

// where is the path of a file that need not exist, in a folder that need not.
func where(name string) (string, error) {
	base, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, folder, name), nil
}
