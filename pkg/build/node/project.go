package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/build"
	"zr/pkg/build/internal/proc"
	"zr/pkg/config"
	"zr/pkg/fault"
)

// The files that say what is installed.
const (
	manifestFile = "package.json"
	lockFile     = "package-lock.json"
	shrinkFile   = "npm-shrinkwrap.json"
	npmConfig    = ".npmrc"
)

// project is what a folder's package.json and lock file say.
type project struct {
	dir      string // absolute
	manifest manifest
	raw      []byte // of package.json
	lockName string // empty where there is none
	lock     []byte
	npmrc    []byte
	// local are the files that npm installs from besides these, by their path:
	// the package.json of workspaces and other folders, and archives.
	local map[string][]byte
	node  string // its version, once it was asked for
}

// manifest is the part of package.json that matters to a build.
type manifest struct {
	Main                 string            `json:"main"`
	Scripts              map[string]string `json:"scripts"`
	Dependencies         map[string]string `json:"dependencies"`
	DevDependencies      map[string]string `json:"devDependencies"`
	OptionalDependencies map[string]string `json:"optionalDependencies"`
	PeerDependencies     map[string]string `json:"peerDependencies"`
	Workspaces           json.RawMessage   `json:"workspaces"`
}

// locked is a package of a lock file.
type locked struct {
	manifest
	Resolved string `json:"resolved"` // its URL; a path for a symlink
	Link     bool   `json:"link"`     // to a folder
}

// installKeys are the keys of package.json that npm installs by, besides the
// scripts that it runs then.
var installKeys = []string{
	"dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta",
	"bundleDependencies", "bundledDependencies", "overrides", "workspaces", "engines", "os", "cpu", "allowScripts",
}

func readProject(r build.Request) (*project, error) {
	p := &project{dir: filepath.Join(r.Root, r.Spec.Node)}
	var err error
	if p.raw, err = bounded.ReadFile(filepath.Join(p.dir, manifestFile), bounded.Text); err != nil {
		return nil, fault.Hint(fmt.Errorf("reading %s: %w", filepath.Join(r.Spec.Node, manifestFile), err), "the folder of a Node.js service holds its package.json")
	}
	if err := json.Unmarshal(p.raw, &p.manifest); err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Join(r.Spec.Node, manifestFile), err)
	}
	for _, name := range []string{shrinkFile, lockFile} {
		if p.lock, err = bounded.ReadFile(filepath.Join(p.dir, name), bounded.Large); err == nil {
			p.lockName = name
			break
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	if p.npmrc, err = bounded.ReadFile(filepath.Join(p.dir, npmConfig), bounded.Text); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return p, p.checkLock(r.Root, r.Spec.Node)
}

// readLocal reads what a package of the lock file is installed from, where that
// is a file or folder of the project.
func (p *project) readLocal(dir string, l locked) error {
	name, archive := strings.CutPrefix(l.Resolved, "file:")
	if !archive && !l.Link {
		return nil
	}
	name = path.Clean(name)
	if !filepath.IsLocal(name) {
		return fault.Hint(fmt.Errorf("reading %s: it installs %s, which is not in %s", filepath.Join(dir, p.lockName), name, dir),
			"move it there, or make `node:` a folder that holds both")
	}
	if l.Link {
		name = path.Join(name, manifestFile)
	}
	content, err := bounded.ReadFile(filepath.Join(p.dir, name), bounded.Large)
	if err != nil {
		return fmt.Errorf("reading what %s installs: %w", filepath.Join(dir, p.lockName), err)
	}
	if p.local == nil {
		p.local = map[string][]byte{}
	}
	p.local[name] = content
	return nil
}

// folders are those that node_modules has symlinks to.
func (p *project) folders() (folders []string) {
	for name := range p.local {
		if path.Base(name) == manifestFile {
			folders = append(folders, path.Dir(name))
		}
	}
	slices.Sort(folders)
	return folders
}

// writeInstallFiles puts what npm installs by into a folder.
func (p *project) writeInstallFiles(dir string) error {
	files := map[string][]byte{manifestFile: p.raw}
	if p.lockName != "" {
		files[p.lockName] = p.lock
	}
	maps.Copy(files, p.local)
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	if p.npmrc == nil {
		return nil
	}
	file := filepath.Join(dir, npmConfig)
	return errors.Join(os.WriteFile(file, p.npmrc, 0o600), os.Chmod(file, 0o600)) // it may hold a token
}

// nodeVersion asks the Node.js that runs builds and installs for its version, once.
func (p *project) nodeVersion(ctx context.Context) (string, error) {
	if p.node != "" {
		return p.node, nil
	}
	out, err := proc.Command{Args: []string{"node", "--version"}}.Output(ctx)
	if err != nil {
		return "", fault.Hint(err, "install Node.js 20 or newer with npm")
	}
	p.node = strings.TrimSpace(string(out))
	return p.node, nil
}

func sameDependencies(a, b manifest) bool {
	same := func(x, y map[string]string) bool { return len(x) == 0 && len(y) == 0 || reflect.DeepEqual(x, y) }
	return same(a.Dependencies, b.Dependencies) && same(a.DevDependencies, b.DevDependencies) && same(a.OptionalDependencies, b.OptionalDependencies)
}

// installs reports whether there is anything for npm to do: packages, or
// scripts of the project's own.
func (p *project) installs() bool { return p.depends() || len(p.scripts()) > 0 }

// depends reports whether there is anything for npm to install.
func (p *project) depends() bool {
	m := p.manifest
	return len(m.Dependencies)+len(m.DevDependencies)+len(m.OptionalDependencies)+len(m.Workspaces) > 0
}

// builds reports whether a script of the project makes what runs.
func (p *project) builds() bool { return p.manifest.Scripts["build"] != "" && !p.next() }

// next reports whether it is a Next.js project.
func (p *project) next() bool {
	_, dep := p.manifest.Dependencies["next"]
	_, dev := p.manifest.DevDependencies["next"]
	return dep || dev
}

// main returns the file that runs where no script says how.
func (p *project) main() string {
	if p.manifest.Main != "" {
		return p.manifest.Main
	}
	if words := strings.Fields(p.manifest.Scripts["start"]); len(words) > 1 && words[0] == "node" && !strings.HasPrefix(words[len(words)-1], "-") {
		return words[len(words)-1]
	}
	for _, name := range []string{"server.js", "server.mjs", "index.mjs"} {
		if _, err := os.Stat(filepath.Join(p.dir, name)); err == nil {
			return name
		}
	}
	return "index.js"
}

// start returns the command of package.json's start script, or node on the
// main file. What only a shell understands is left to one.
func (p *project) start() []string {
	script := p.manifest.Scripts["start"]
	switch {
	case script == "":
		return []string{"node", p.main()}
	case strings.ContainsAny(script, "\"'`$&|;<>(){}*?[]#~=\\\n"):
		return []string{"sh", "-c", makeWay(script)}
	}
	return strings.Fields(script)
}

// makeWay has a shell replaced by the last command of a line, since as the
// first process of a container it would keep signals from it. A line in which
// that command is not plain to see stays as it is.
func makeWay(script string) string {
	head, last := "", script
	for _, end := range []string{"&&", ";"} {
		if i := strings.LastIndex(last, end); i >= 0 {
			head, last = head+last[:i+len(end)]+" ", last[i+len(end):]
		}
	}
	words := strings.Fields(last)
	switch {
	case len(words) == 0, slices.Contains([]string{"exec", "fi", "done", "esac"}, words[0]):
		return script
	case strings.ContainsAny(last, "|&;(){}#\n"), head != "" && strings.ContainsAny(last, "\"'`"):
		return script
	case assignment.MatchString(words[0]): // which exec does not take
		return head + "exec env " + strings.TrimSpace(last)
	}
	return head + "exec " + strings.TrimSpace(last)
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// installManifest is the part of package.json that an install is a function of,
// as a package.json.
func (p *project) installManifest() ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(p.raw, &all); err != nil {
		return nil, fmt.Errorf("reading %s: %w", manifestFile, err)
	}
	maps.DeleteFunc(all, func(key string, _ json.RawMessage) bool { return !slices.Contains(installKeys, key) })
	scripts := maps.Clone(p.manifest.Scripts)
	maps.DeleteFunc(scripts, func(name, _ string) bool { return !slices.Contains(installScripts, name) })
	if len(scripts) > 0 {
		raw, err := json.Marshal(scripts)
		if err != nil {
			return nil, err
		}
		all["scripts"] = raw
	}
	return json.Marshal(all)
}

// installInputs is what node_modules is a function of, besides the platform and
// what scripts read.
func (p *project) installInputs() ([]byte, error) {
	manifest, err := p.installManifest()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Manifest json.RawMessage
		Lock     []byte
		Npmrc    []byte
		Local    map[string][]byte
	}{manifest, p.lock, p.npmrc, p.local})
}

// Check says what keeps the service in a folder of the project at root from being built,
// as far as its package.json and what lies beside it tell. It runs nothing.
func Check(root, folder string) error {
	j := job{Request: build.Request{Root: root, Spec: config.Build{NodeKeys: config.NodeKeys{Node: folder}}}}
	var err error
	if j.project, err = readProject(j.Request); err != nil || j.project.next() || j.project.builds() {
		return err
	}
	return j.checkMain(j.project.dir)
}

// Starts reports whether the package.json of a folder says how a service is started.
func Starts(root, folder string) bool {
	p := project{}
	raw, err := bounded.ReadFile(filepath.Join(root, folder, manifestFile), bounded.Text)
	return err == nil && json.Unmarshal(raw, &p.manifest) == nil && (p.manifest.Scripts["start"] != "" || p.next())
}
