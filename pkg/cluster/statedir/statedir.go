// Package statedir says where zr keeps the few files that belong to a cluster
// and not into it: its kubeconfig, its lock, the settings of a container engine.
package statedir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"zr/pkg/fault"
)

// folder is the name of the folder.
const folder = "zr"

// Dir returns the folder, and makes it, readable by the user alone: zr in the
// user's configuration folder.
func Dir() (string, error) {
	base, err := os.UserConfigDir()
	if err != nil {
		return "", fault.Hint(fmt.Errorf("finding the folder for zr's state: %w", err), "set HOME, or XDG_CONFIG_HOME to a folder")
	}
	dir := filepath.Join(base, folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Hint(fmt.Errorf("making the folder for zr's state: %w", err), "XDG_CONFIG_HOME puts it elsewhere")
	}
	return dir, nil
}

// Kubeconfig returns the path of zr's kubeconfig for the cluster that is
// called name.
func Kubeconfig(name string) (string, error) { return file("kubeconfig-" + name) }

// Lock returns the path of the file that a zr which changes the cluster holds
// locked.
func Lock(name string) (string, error) { return file("lock-" + name) }

// Relay returns the path of the file that the process holds locked which relays
// ports for an environment, named by its set, on a cluster.
func Relay(cluster, set string) (string, error) { return file("relay-" + cluster + "@" + set) }

// Relays returns the sets that have a file of Relay on a cluster. A file that
// is there does not say that a process is.
func Relays(cluster string) ([]string, error) {
	prefix, err := Relay(cluster, "")
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(filepath.Dir(prefix))
	if err != nil {
		return nil, fmt.Errorf("looking for relays: %w", err)
	}
	var sets []string
	for _, f := range files {
		if set, ok := strings.CutPrefix(f.Name(), filepath.Base(prefix)); ok {
			sets = append(sets, set)
		}
	}
	return sets, nil
}

func file(name string) (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

// Write puts content at path for the user alone, all or nothing, and not at
// all where it is there already.
func Write(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == string(content) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	defer os.Remove(f.Name()) // no longer there once renamed
	_, err = f.Write(content)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path) // CreateTemp made it with mode 0600
	}
	if err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	return nil
}
