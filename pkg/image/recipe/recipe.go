// Package recipe makes the images that must exist where no registry can be
// reached: from Debian packages, the npm registry and Go modules, as the
// recipes of the package zr/images say. Layers go uncompressed into the image
// store, a file at a time under a name that a half-written one never has, so
// that a killed run leaves nothing that the next would believe.
package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"sync"
	"time"

	"zr/images"
	"zr/pkg/image"
)

// format changes when this package makes another image from the same recipe,
// so that images made before count as made differently.
const format = "2"

// sourceDate is the newest time that anything made here carries, so that the
// same inputs give the same digests. Any fixed time does; some programs take
// 0 for unset.
var sourceDate = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Recipe says how one image is made. The zero value is of no use; All and
// Find return recipes.
type Recipe struct {
	name   string
	spec   spec
	files  fs.FS // the recipe's folder
	parent *Recipe
	key    string
}

// Name returns the name of the recipe's folder.
func (r Recipe) Name() string { return r.name }

// About returns what the image is, in a few words.
func (r Recipe) About() string { return r.spec.About }

// Provides returns the names that the image goes by, normalized as
// image.Normalize does.
func (r Recipe) Provides() []string {
	names := make([]string, len(r.spec.Provides))
	for i, p := range r.spec.Provides {
		names[i], _ = image.Normalize(p) // load checked it
	}
	return names
}

// Key changes with everything that the image is made from and that is known
// before it is made: the recipe, its files and sources, the recipe that it
// goes on, and the platform.
func (r Recipe) Key() string { return r.key }

// Find returns the recipe that provides an image reference, which may be
// short ("postgres:15") or full.
func Find(ref string) (Recipe, bool) {
	want, err := image.Normalize(ref)
	if err != nil {
		return Recipe{}, false
	}
	for _, r := range all() {
		for _, name := range r.Provides() {
			if name == want {
				return r, true
			}
		}
	}
	return Recipe{}, false
}

// all loads the embedded recipes once. They are part of the program and its
// tests load them, so one that cannot be loaded is a programmer's mistake.
var all = sync.OnceValue(func() []Recipe {
	recipes, err := load(images.FS)
	if err != nil {
		panic(err)
	}
	return recipes
})

// load reads every recipe of a file system.
func load(root fs.FS) ([]Recipe, error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, err
	}
	byName := map[string]*Recipe{}
	var order []*Recipe
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		r, err := loadOne(root, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("reading recipe %q: %w", entry.Name(), err)
		}
		byName[r.name] = r
		order = append(order, r)
	}
	providers := map[string]string{}
	recipes := make([]Recipe, 0, len(order))
	for _, r := range order {
		if r.spec.From != "" {
			parent, ok := byName[r.spec.From]
			switch {
			case !ok:
				return nil, fmt.Errorf("reading recipe %q: from: there is no recipe %q", r.name, r.spec.From)
			case parent.spec.From != "":
				return nil, fmt.Errorf("reading recipe %q: from: %q goes on another recipe itself", r.name, r.spec.From)
			}
			r.parent = parent
		}
		for _, name := range r.Provides() {
			if other, ok := providers[name]; ok {
				return nil, fmt.Errorf("reading recipe %q: provides: %s is provided by %q", r.name, name, other)
			}
			providers[name] = r.name
		}
	}
	for _, r := range order {
		if err := r.setKey(); err != nil {
			return nil, fmt.Errorf("reading recipe %q: %w", r.name, err)
		}
		recipes = append(recipes, *r)
	}
	return recipes, nil
}

func loadOne(root fs.FS, name string) (*Recipe, error) {
	files, err := fs.Sub(root, name)
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(files, "recipe.yaml")
	if err != nil {
		return nil, err
	}
	s, err := parse(text)
	if err != nil {
		return nil, err
	}
	return &Recipe{name: name, spec: s, files: files}, nil
}

// setKey hashes the inputs. The parent's key comes first where there is one,
// whatever order the recipes are loaded in.
func (r *Recipe) setKey() error {
	if r.key != "" {
		return nil
	}
	parentKey := ""
	if r.parent != nil {
		if err := r.parent.setKey(); err != nil {
			return err
		}
		parentKey = r.parent.key
	}
	sum, err := hashFiles(r.files, ".")
	if err != nil {
		return err
	}
	r.key = keyOf("recipe", format, runtime.GOOS, runtime.GOARCH, parentKey, sum)
	return nil
}

// keyOf returns a short hash of parts. 16 hex digits are 64 bits, which is
// plenty for the few keys of one machine.
func keyOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s\n", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// hashFiles hashes the names and contents of all files below dir.
func hashFiles(files fs.FS, dir string) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(files, dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := files.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		content := sha256.New()
		if _, err := io.Copy(content, file); err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %x\n", path.Clean(name), content.Sum(nil))
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
