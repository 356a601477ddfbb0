package recipe

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"zr/pkg/image"
)

// spec is a recipe.yaml. The sections that are there become layers, in the
// order in which they stand here, on the layers of From.
type spec struct {
	// About says what the image is, in a few words.
	About string `yaml:"about"`
	// Provides are the references that the image answers to.
	Provides []string `yaml:"provides"`
	// From is the recipe whose layers come first. It must itself be From none.
	From string `yaml:"from"`
	// Users are added to /etc/passwd before packages are installed, so that
	// packages which make a user of that name find it, with its number.
	Users []userSpec `yaml:"users"`
	// Debian are packages.
	Debian *debianSpec `yaml:"debian"`
	// Npm are files of npm packages, the ones of this machine's architecture.
	Npm []npmSpec `yaml:"npm"`
	// Programs are built from a Go module. They do not become a layer by
	// themselves; Generate places them.
	Programs *programsSpec `yaml:"programs"`
	// Modules are Go modules whose files Generate needs.
	Modules []moduleSpec `yaml:"modules"`
	// Generate runs one of the programs, which writes layers.
	Generate *generateSpec `yaml:"generate"`
	// Directories and Links are the last layer, together with the files of the
	// recipe's folder root/ (executable where they begin with "#!").
	Directories []directorySpec   `yaml:"directories"`
	Links       map[string]string `yaml:"links"`
	// Config is what the image says about how to run it.
	Config configSpec `yaml:"config"`
}

type userSpec struct {
	Name  string `yaml:"name"`
	ID    int    `yaml:"id"` // of the user and of its group
	Home  string `yaml:"home"`
	Shell string `yaml:"shell"`
}

type debianSpec struct {
	// Suite is Debian's name of the release. A recipe with From has none: it
	// takes that of the recipe it goes on.
	Suite    string   `yaml:"suite"`
	Packages []string `yaml:"packages"`
	// Run are commands that run inside the root file system once the packages
	// are installed.
	Run []string `yaml:"run"`
	// Without are globs of what is left out of the layer, with everything
	// below. What packages need while they are installed stays in the root
	// file system that recipes go on.
	Without []string `yaml:"without"`
	// Keep are globs of what is in the layer even so.
	Keep []string `yaml:"keep"`
}

type npmSpec struct {
	Arch      string            `yaml:"arch"` // as Go names it
	Package   string            `yaml:"package"`
	Version   string            `yaml:"version"`
	Integrity string            `yaml:"integrity"` // as in a package-lock.json
	Files     map[string]string `yaml:"files"`     // path in the package → path in the image
}

type programsSpec struct {
	Source   string   `yaml:"source"` // folder with the module
	Tags     []string `yaml:"tags"`
	Ldflags  []string `yaml:"ldflags"`
	Packages []string `yaml:"packages"`
}

type moduleSpec struct {
	Env     string `yaml:"env"` // the variable that tells Generate the folder
	Path    string `yaml:"path"`
	Version string `yaml:"version"`
	Sum     string `yaml:"sum"` // as in a go.sum
}

type generateSpec struct {
	Program string   `yaml:"program"`
	Layers  []string `yaml:"layers"` // folders that it writes, lowest first
}

type directorySpec struct {
	Path string `yaml:"path"`
	Mode uint32 `yaml:"mode"`
	User int    `yaml:"user"` // and group
}

type configSpec struct {
	Env        []string          `yaml:"env"`
	User       string            `yaml:"user"`
	Workdir    string            `yaml:"workdir"`
	Volumes    []string          `yaml:"volumes"`
	Ports      []string          `yaml:"ports"`
	Entrypoint []string          `yaml:"entrypoint"`
	Cmd        []string          `yaml:"cmd"`
	StopSignal string            `yaml:"stopsignal"`
	Labels     map[string]string `yaml:"labels"`
}

// parse reads a recipe.yaml strictly and reports everything that is wrong
// with it at once.
func parse(text []byte) (spec, error) {
	var s spec
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		return s, err
	}
	return s, s.validate()
}

var (
	debianName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	userName   = regexp.MustCompile(`^[a-z_][a-z0-9_-]*$`)
	envName    = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
)

func (s spec) validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if s.About == "" {
		bad("about: say what the image is")
	}
	if len(s.Provides) == 0 {
		bad("provides: name an image")
	}
	for _, ref := range s.Provides {
		if _, err := image.Normalize(ref); err != nil {
			bad("provides: %w", err)
		}
	}
	for _, u := range s.Users {
		if !userName.MatchString(u.Name) || u.ID <= 0 || !path.IsAbs(u.Home) || !path.IsAbs(u.Shell) {
			bad("users: %q: needs a name, an id above 0, and absolute paths as home and shell", u.Name)
		}
	}
	if d := s.Debian; d != nil {
		if (d.Suite == "") != (s.From != "") {
			bad("debian: suite: a recipe has either a suite or another recipe that it goes on")
		}
		for _, p := range d.Packages {
			if !debianName.MatchString(p) {
				bad("debian: packages: %q is no package name", p)
			}
		}
		for _, glob := range slices.Concat(d.Without, d.Keep) {
			if _, err := path.Match(glob, ""); err != nil || path.IsAbs(glob) {
				bad("debian: %q is no relative glob", glob)
			}
		}
	}
	if s.Debian == nil && s.From == "" {
		bad("an image begins with Debian packages or with another recipe")
	}
	for _, n := range s.Npm {
		if err := n.validate(); err != nil {
			bad("npm: %q: %w", n.Package, err)
		}
	}
	for _, m := range s.Modules {
		if !envName.MatchString(m.Env) || m.Path == "" || m.Version == "" || !strings.HasPrefix(m.Sum, "h1:") {
			bad("modules: %q: needs env, path, version and a sum that begins with h1:", m.Path)
		}
	}
	if p := s.Programs; p != nil && (!fs.ValidPath(p.Source) || len(p.Packages) == 0) {
		bad("programs: needs a source folder and packages")
	}
	if g := s.Generate; g != nil && (s.Programs == nil || g.Program == "" || len(g.Layers) == 0) {
		bad("generate: needs programs, one of them, and layers that it writes")
	}
	for _, d := range s.Directories {
		if !fs.ValidPath(d.Path) || d.Mode == 0 || d.User < 0 {
			bad("directories: %q: needs a relative path and a mode", d.Path)
		}
	}
	for at := range s.Links {
		if !fs.ValidPath(at) {
			bad("links: %q is no relative path", at)
		}
	}
	return errors.Join(problems...)
}

func (n npmSpec) validate() error {
	digest, ok := strings.CutPrefix(n.Integrity, "sha512-")
	if raw, err := base64.StdEncoding.DecodeString(digest); !ok || err != nil || len(raw) != 64 {
		return errors.New("integrity must be a sha512- digest")
	}
	if n.Arch == "" || n.Package == "" || n.Version == "" || len(n.Files) == 0 {
		return errors.New("needs arch, package, version and files")
	}
	for _, to := range n.Files {
		if !fs.ValidPath(to) {
			return fmt.Errorf("files: %q is no relative path", to)
		}
	}
	return nil
}
