// Package proposal says what makes services of the folders of a project, and writes it
// there: entries of its config and manifests of its overlay. It reads files alone, and
// never writes over one.
package proposal

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"zr/pkg/devattach"
	"zr/pkg/fault"
)

// Project is where services are proposed for.
type Project struct {
	Root    string                 // absolute
	Config  string                 // the file of the environment, relative to Root, with slashes
	Overlay string                 // the folder of its overlay, likewise
	Has     func(name string) bool // whether the environment has a service of this name
	Sources map[string]string      // folders that are services already, likewise, with their names
	// Local says that the ports of Services are to be those of this machine.
	Local bool

	planned map[string]bool // services of the same plan
	taken   map[int]bool    // ports of this machine; nil before the manifests were read
	named   map[string]bool // workloads of the manifests
}

// Service says what makes a service of a folder of the project, which is not the
// project's own, by what lies in it. Its error is a *devattach.Failure.
func (p *Project) Service(folder string) (devattach.Proposal, error) {
	dir, folder, err := p.folder(folder)
	if err != nil {
		return devattach.Proposal{}, err
	}
	one, err := p.service(dir, folder)
	if failed, is := errors.AsType[*devattach.Failure](err); is && fault.HintOf(err) != "" {
		err = &devattach.Failure{Code: failed.Code, Text: oneLine(err)}
	}
	return one.Proposal, err
}

// Proposed is a service with what says where it listens.
type Proposed struct {
	devattach.Proposal
	// Listens is what in the sources says the port; empty where it is a guess.
	Listens string `json:"listens,omitempty"`
}

// service is Service for a folder that was found, "." included.
func (p *Project) service(dir, folder string) (Proposed, error) {
	var out Proposed
	if has := p.Sources[folder]; has != "" {
		return out, p.conflict(has)
	}
	way, against := p.wayOf(folder)
	if way.Kind == "" {
		return out, &devattach.Failure{Code: devattach.NotFound, Text: fmt.Sprintf("nothing in %s says how it is built", called(folder))}
	}
	if against != nil {
		return out, fault.Hint(&devattach.Failure{Code: devattach.NotFound, Text: fmt.Sprintf("%s cannot be built as it is: %v", called(folder), against)}, fault.HintOf(against))
	}
	name := p.serviceName(dir, folder)
	switch base := lettered(label(filepath.Base(dir))); {
	case base == "":
		return out, &devattach.Failure{Code: devattach.Conflict, Text: fmt.Sprintf("%s has no letter or digit to name a service by", called(folder))}
	case name == "":
		return out, p.conflict(base)
	}
	out.Service, out.Kind, out.Because = name, way.Kind, way.Because
	sources := p.sources(way.Kind, folder)
	out.Port, out.Listens = portOf(way.Kind, sources)
	out.Edits = []devattach.Snippet{{File: p.Config, Under: "services", Text: fmt.Sprintf("  %s:\n    build: %s\n", text(name), way.Keys)}}
	p.readManifests()
	if p.named[name] { // somebody wrote how it is deployed
		return out, nil
	}
	out.Edits = append(out.Edits,
		devattach.Snippet{File: path.Join(p.Overlay, name+".yaml"), New: true, Text: manifestOf(out, sources, p.port(out.Port), p.Local)},
		devattach.Snippet{File: path.Join(p.Overlay, p.kustomization()), Under: "resources", Text: "  - " + name + ".yaml\n"})
	return out, nil
}

func (p *Project) conflict(service string) error {
	return &devattach.Failure{Code: devattach.Conflict, Text: fmt.Sprintf("%s has a service %q already", p.Config, service)}
}

// port is where a service is reached that listens at a port: there, or at the next one
// that no other Service has on this machine.
func (p *Project) port(port int) int {
	if !p.Local {
		return port
	}
	if port < 1024 { // which not everybody may take
		port += 8000
	}
	for p.taken[port] && port < 1<<16-1 {
		port++
	}
	p.taken[port] = true
	return port
}

// folder returns the absolute path of a folder of the project, and its path within it,
// whatever links lead there.
func (p *Project) folder(folder string) (dir, within string, err error) {
	clean := filepath.Clean(filepath.FromSlash(folder))
	outside := &devattach.Failure{Code: devattach.NotFound, Text: fmt.Sprintf("%q is no folder of the project", folder)}
	if folder == "" || clean == "." || !filepath.IsLocal(clean) {
		return "", "", outside
	}
	root, err := filepath.EvalSymlinks(p.Root)
	if err != nil {
		return "", "", outside
	}
	dir, err = filepath.EvalSymlinks(filepath.Join(root, clean))
	if err != nil || dir == root {
		return "", "", outside
	}
	below, err := filepath.Rel(root, dir)
	if err != nil || !filepath.IsLocal(below) {
		return "", "", outside
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", "", outside
	}
	return dir, filepath.ToSlash(below), nil
}
