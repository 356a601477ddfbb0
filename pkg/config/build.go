package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Build names the source of an image. Exactly one kind is picked; paths are
// relative to the project's folder.
type Build struct {
	GoKeys         `yaml:",inline"`
	NodeKeys       `yaml:",inline"`
	CommandKeys    `yaml:",inline"`
	DockerfileKeys `yaml:",inline"`
	// Base is the image below the build. Default: one that zr makes itself.
	Base string `yaml:"base,omitempty" json:"base,omitempty"`
	// Flags are further flags for the compiler (go build) or engine (build).
	Flags []string `yaml:"flags,omitempty" json:"flags,omitempty"`
	// Dev says how the service runs under `zr dev`, where that differs from
	// what zr finds out by itself.
	Dev Dev `yaml:"dev,omitempty" json:"dev,omitempty"`
}

// kinds are all that a build can be of, in the order in which they are named.
func (b *Build) kinds() []buildKind {
	return []buildKind{b.GoKeys, b.NodeKeys, b.CommandKeys, b.DockerfileKeys}
}

// buildKind is the part of a Build that belongs to one kind: its own keys.
type buildKind interface {
	// kind is its name: the key that names the source, and so picks the kind.
	kind() string
	// picked says whether that key has a value.
	picked() bool
	// noun is what the other keys are for, as a problem with them says it.
	noun() string
	// validate reports what is wrong with the keys of a service, also where
	// another kind is picked.
	validate(v *validator, service string)
	// check reports what is wrong with the sources that the keys name, by the key
	// and with a hint. It runs nothing.
	check(b *Build, root string, add func(key, text, hint string))
	// proposed returns how the keys would be for a folder of the project at root,
	// and what in it says so. It is empty where nothing does.
	proposed(root, folder string) (keys, because string)
}

// Kind returns the name of the kind that is picked, such as "go". It is empty where
// not exactly one is.
func (b *Build) Kind() string {
	if picked := b.picked(); len(picked) == 1 {
		return picked[0]
	}
	return ""
}

// picked are the names of the kinds whose source is named, sorted.
func (b *Build) picked() (names []string) {
	for _, k := range b.kinds() {
		if k.picked() {
			names = append(names, k.kind())
		}
	}
	slices.Sort(names)
	return names
}

// Kinds returns the names of all kinds of build.
func Kinds() (names []string) {
	for _, k := range new(Build).kinds() {
		names = append(names, k.kind())
	}
	return names
}

// Proposed is a way in which a folder of a project can be built.
type Proposed struct {
	Kind    string // of Kinds
	Keys    string // as YAML
	Because string // what in the folder says so
}

// ProposeBuilds returns the ways in which a folder of the project at root can be built,
// by what lies in it: the preferred one first.
func ProposeBuilds(root, folder string) (all []Proposed) {
	for _, k := range new(Build).kinds() {
		if keys, because := k.proposed(root, folder); keys != "" {
			all = append(all, Proposed{k.kind(), keys, because})
		}
	}
	return all
}

// proposedFor is the proposal of a kind whose folders hold a certain file.
func proposedFor(root, folder, file, keys string) (string, string) {
	if info, err := os.Stat(filepath.Join(root, folder, file)); err != nil || !info.Mode().IsRegular() {
		return "", ""
	}
	return keys, "it has a " + file
}

var plainInBraces = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)

// inBraces writes a path as YAML reads it back from within braces.
func inBraces(path string) string {
	if plainInBraces.MatchString(path) {
		return path
	}
	return strconv.Quote(path)
}

// Dev says how a service runs under `zr dev`.
type Dev struct {
	// Command replaces the start command of a Node service. Default: next dev
	// where the project depends on next, otherwise what the release runs.
	Command []string `yaml:"command,omitempty" json:"command,omitempty"`
	// Reload says what a save of a Node service takes: "restart" has the
	// process started anew, "self" is for a command that looks at the files by
	// itself. Default: restart, but self for next dev and other dev servers.
	Reload string `yaml:"reload,omitempty" json:"reload,omitempty" jsonschema:"enum=restart,enum=self"`
	// Memory is the container's memory limit in dev, a Kubernetes quantity.
	// Default: that of the manifest, but 1Gi for a Node service.
	Memory string `yaml:"memory,omitempty" json:"memory,omitempty"`
}

// The values of Dev.Reload.
const (
	ReloadRestart = "restart"
	ReloadSelf    = "self"
)

func (v *validator) builds(name string) bool { return v.key("services", name, "build") != nil }

func (v *validator) build(name string, b *Build) {
	picked := b.picked()
	at := v.value("services", name, "build")
	switch {
	case len(picked) == 0 && (at.Kind == yaml.MappingNode || at.Tag == "!!null"):
		v.add(at, "", "services.%s.build: needs one of %s", name, list(Kinds()))
	case len(picked) > 1:
		v.add(at, "", "services.%s.build: has %s, but only one can make the image", name, strings.Join(picked, " and "))
	}
	for _, k := range b.kinds() {
		k.validate(v, name)
		for key := range fieldsOf(reflect.TypeOf(k)) {
			if of := v.key("services", name, "build", key); of != nil && key != k.kind() && !k.picked() {
				v.add(of, "", "services.%s.build.%s is only for %s", name, key, k.noun())
			}
		}
	}
	if m := b.Dev.Memory; m != "" && !quantity.MatchString(m) {
		v.add(v.value("services", name, "build", "dev", "memory"), `write it like "1Gi"`, "services.%s.build.dev.memory: %q is not an amount of memory", name, m)
	}
}

// list writes names as a sentence does.
func list(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// CheckSources reports what is wrong with the sources of the services, at its place
// in the config: a Go package that is no program, a folder without files, files
// that are not there. It reads the beginnings of files at most, and runs nothing.
// What is wrong with the files themselves is left to their compilers.
func (c *Config) CheckSources() error {
	var problems Problems
	for _, name := range sortedKeys(c.Services) {
		b := c.Services[name].Build
		if b == nil {
			continue
		}
		for _, k := range b.kinds() {
			if !k.picked() {
				continue
			}
			k.check(b, c.Root, func(key, text, hint string) {
				file, line, column := c.position("services", name, "build", key)
				problems = append(problems, Problem{File: file, Line: line, Column: column,
					Text: fmt.Sprintf("services.%s.build.%s: %s", name, key, text), Hint: hint})
			})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems.asFault()
}
