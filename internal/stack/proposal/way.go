package proposal

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/build/node"
	"zr/pkg/config"
	"zr/pkg/fault"
)

// wayOf is how a folder of the project is built: the first way that nothing in it speaks
// against, or else the first, with what does.
func (p *Project) wayOf(folder string) (way config.Proposed, against error) {
	for _, w := range config.ProposeBuilds(p.Root, folder) {
		err := p.against(&w, folder)
		if err == nil {
			return w, nil
		}
		if against == nil {
			way, against = w, err
		}
	}
	return way, against
}

// against says what would keep a folder from being built in a way, which it completes.
func (p *Project) against(way *config.Proposed, folder string) error {
	switch way.Kind {
	case "dockerfile":
		return p.inContext(way, folder)
	case "node":
		return node.Check(p.Root, folder)
	case "go":
		if _, module := moduleOf(filepath.Join(p.Root, folder)); module == "" {
			return fault.Hint(errors.New("no go.mod is there or above"), "`go mod init NAME` makes a module of the folder that it is run in")
		}
	}
	return nil
}

// moduleLine is that of a go.mod which names the module.
var moduleLine = regexp.MustCompile(`(?m)^\s*module\s+"?([^\s"]+)`)

// moduleOf is the folder of the Go module that a folder belongs to, and its name; both
// are empty where there is none.
func moduleOf(dir string) (at, name string) {
	for at = dir; ; at = filepath.Dir(at) {
		if text, err := bounded.ReadFile(filepath.Join(at, "go.mod"), proposeBytes); err == nil {
			if m := moduleLine.FindSubmatch(text); m != nil {
				return at, string(m[1])
			}
		}
		if at == filepath.Dir(at) {
			return "", ""
		}
	}
}

// shows says what shows that a folder is a service: it does itself, or what it imports does.
func (p *Project) shows(kind, folder string) (itself, imported bool) {
	switch {
	case p.dockerfile(folder) != "", kind == "node" && node.Starts(p.Root, folder):
		return true, false
	case kind == "go":
		var own reading
		own.goPackage(filepath.Join(p.Root, folder), "", "")
		if listener.MatchString(own.text.String()) {
			return true, false
		}
		return false, listener.MatchString(p.sources(kind, folder))
	}
	return listener.MatchString(p.sources(kind, folder)), false
}

// oneLine is what speaks against a way, for a list of folders.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if hint := fault.HintOf(err); hint != "" {
		text += " (" + hint + ")"
	}
	return text
}
