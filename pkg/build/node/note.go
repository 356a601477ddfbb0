package node

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"zr/pkg/build/internal/inputs"
)

// installedNote is the file that says what node_modules beside it was made from.
// It is removed before anything is touched and written at the end, so that an
// install that was cut off is not believed.
const installedNote = ".zr-installed"

// note is its content.
type note struct {
	Key  string
	Made map[string]string // by scripts beside node_modules: path → hash
}

// readNote returns what the install with this key made beside node_modules, if
// it is that install which the folder holds, as it was left.
func readNote(dir, key string) (map[string]origin, bool) {
	var kept note
	raw, err := os.ReadFile(filepath.Join(dir, installedNote))
	if err != nil || json.Unmarshal(raw, &kept) != nil || kept.Key != key {
		return nil, false
	}
	made := map[string]origin{}
	for rel, hash := range kept.Made {
		f, err := originOf(filepath.Join(dir, rel))
		if err != nil || f.hash != hash {
			return nil, false
		}
		made[rel] = f
	}
	return made, true
}

func writeNote(dir, key string, made map[string]origin) error {
	kept := note{Key: key, Made: map[string]string{}}
	for rel, f := range made {
		kept.Made[rel] = f.hash
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, installedNote), raw, 0o644)
}

// made finds what scripts made, or changed, in the folder of an install: files
// that are neither of npm nor what it was given.
func (p *project) made(dir string, given map[string]origin) (map[string]origin, error) {
	made := map[string]origin{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || p.isInstallFile(rel) {
			return err
		}
		f, err := originOf(path)
		if err == nil && given[rel].hash != f.hash {
			made[rel] = f
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("finding what the install made: %w", err)
	}
	return made, nil
}

// isInstallFile reports whether npm installs by a file, which the key of an
// install counts in its own way.
func (p *project) isInstallFile(rel string) bool {
	_, local := p.local[filepath.ToSlash(rel)]
	return local || slices.Contains([]string{manifestFile, lockFile, shrinkFile, npmConfig}, rel)
}

func originOf(path string) (origin, error) {
	hash, err := inputs.HashFile(path)
	if err != nil {
		return origin{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return origin{}, err
	}
	return origin{path, info.Mode(), hash}, nil
}
