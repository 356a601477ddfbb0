package watch

import (
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"sync"

	"zr/pkg/bounded"
	"zr/pkg/gitignore"
)

// The ignore files that are honoured, both with the syntax of gitignore(5).
// Every .zrignore overrules every .gitignore: it is there to say otherwise.
const (
	gitIgnore = ".gitignore"
	zrIgnore  = ".zrignore"
)

// hopelessFolders are ignored where no ignore file says otherwise: they are
// large, made by tools, and in any project's ignore files sooner or later. The
// folders of version control are ignored whatever the files say.
var (
	hopelessFolders = gitignore.Parse([]byte("node_modules/\n"))
	versionControl  = map[string]bool{".git": true, ".hg": true, ".svn": true, ".jj": true}
)

// ignore decides which paths of one root are ignored. It is safe for
// concurrent use.
type ignore struct {
	root   string // is wanted, whatever the files above it say
	top    string // the work tree's top, where that is above the root; otherwise the root
	gitDir string // "" outside a work tree

	exclude []gitignore.Rule // .git/info/exclude, which every ignore file overrules

	mu      sync.RWMutex
	folders map[string]folderRules // only those that have an ignore file
}

type folderRules struct{ git, zr []gitignore.Rule }

// layer are rules and the folder that their patterns start from. The layers
// of a folder are in the order in which they decide.
type layer struct {
	base  int // length of that folder's path with the slash behind it
	rules []gitignore.Rule
}

// newIgnore reads what is above a root and beside it. The user's own excludes
// (core.excludesFile) are left out: they are no part of the project, and a
// save would then count on one machine and not on the next.
func newIgnore(root string) *ignore {
	g := &ignore{root: root, top: root, folders: map[string]folderRules{}}
	top, gitDir, ok := gitignore.WorkTree(root)
	if !ok {
		return g
	}
	g.top, g.gitDir = top, gitDir
	for dir := root; dir != g.top; {
		dir = filepath.Dir(dir)
		g.reload(dir)
	}
	g.exclude = gitignore.Parse(readFile(gitignore.ExcludeFile(gitDir)))
	return g
}

// load reads the ignore files among the entries of a folder.
func (g *ignore) load(dir string, entries []fs.DirEntry) {
	for _, e := range entries {
		if isIgnoreFile(e.Name()) {
			g.reload(dir)
			return
		}
	}
}

func isIgnoreFile(name string) bool { return name == gitIgnore || name == zrIgnore }

// reload reads the ignore files of a folder anew.
func (g *ignore) reload(dir string) {
	rules := folderRules{
		git: gitignore.Parse(readFile(filepath.Join(dir, gitIgnore))),
		zr:  gitignore.Parse(readFile(filepath.Join(dir, zrIgnore))),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if rules.git == nil && rules.zr == nil {
		delete(g.folders, dir)
		return
	}
	g.folders[dir] = rules
}

// clone returns the rules as they are now.
func (g *ignore) clone() *ignore {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return &ignore{root: g.root, top: g.top, gitDir: g.gitDir, exclude: g.exclude, folders: maps.Clone(g.folders)}
}

// layers returns what decides on the entries of a folder.
func (g *ignore) layers(dir string) []layer {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var zr, git []layer
	for at := dir; ; at = filepath.Dir(at) {
		if rules, ok := g.folders[at]; ok {
			base := len(at) + 1
			if rules.zr != nil {
				zr = append(zr, layer{base, rules.zr})
			}
			if rules.git != nil {
				git = append(git, layer{base, rules.git})
			}
		}
		if len(at) <= len(g.top) {
			break
		}
	}
	base := len(g.top) + 1
	return append(append(zr, git...), layer{base, g.exclude}, layer{base, hopelessFolders})
}

// excluded says whether a path is ignored, provided that its folder is not:
// what is in an ignored folder cannot be brought back.
func excluded(layers []layer, path string, isDir bool) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if versionControl[name] {
		return true
	}
	for _, l := range layers {
		for i := len(l.rules) - 1; i >= 0; i-- { // the last that matches decides
			if r := &l.rules[i]; r.Matches(path[l.base:], name, isDir) {
				return !r.Negated
			}
		}
	}
	return false
}

// matches says whether an absolute path is ignored: it, or a folder above it.
func (g *ignore) matches(path string, isDir bool) bool {
	if !strings.HasPrefix(path, g.root+"/") {
		return false
	}
	for i := len(g.root) + 1; i < len(path); i++ {
		if path[i] == '/' && excluded(g.layers(filepath.Dir(path[:i])), path[:i], true) {
			return true
		}
	}
	return excluded(g.layers(filepath.Dir(path)), path, isDir)
}

func readFile(name string) []byte {
	data, err := bounded.ReadFile(name, bounded.Text)
	if err != nil {
		return nil // not there, or nothing that can be read: it ignores nothing
	}
	return data
}
