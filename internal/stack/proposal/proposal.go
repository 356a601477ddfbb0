// Package proposal says what makes services of the folders of a project, and writes it
// there: entries of its config and manifests of its overlay. It reads files alone, and
// never writes over one.
package proposal

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"zr/pkg/config"
	"zr/pkg/devattach"
)

// Project is where services are proposed for.
type Project struct {
	Root    string                 // absolute
	Config  string                 // the file of the environment, relative to Root, with slashes
	Overlay string                 // the folder of its overlay, likewise
	Has     func(name string) bool // whether the environment has a service of this name
	Sources []string               // folders that are services already, likewise
	// Local says that the ports of Services are to be those of this machine.
	Local bool

	taken map[int]bool    // ports of this machine; nil before the manifests were read
	named map[string]bool // workloads of the manifests
}

// Service says what makes a service of a folder of the project, which is not the
// project's own, by what lies in it. Its error is a *devattach.Failure.
func (p *Project) Service(folder string) (devattach.Proposal, error) {
	dir, folder, err := p.folder(folder)
	if err != nil {
		return devattach.Proposal{}, err
	}
	return p.service(dir, folder)
}

// service is Service for a folder that was found, "." included.
func (p *Project) service(dir, folder string) (devattach.Proposal, error) {
	out := devattach.Proposal{Service: serviceName(filepath.Base(dir))}
	if out.Service == "" || p.Has(out.Service) {
		return out, &devattach.Failure{Code: devattach.Conflict, Text: fmt.Sprintf("%s has a service %q already, or the folder's name cannot be one", p.Config, out.Service)}
	}
	var build string
	if out.Kind, build, out.Because = config.ProposeBuild(p.Root, folder); out.Kind == "" {
		return out, &devattach.Failure{Code: devattach.NotFound, Text: fmt.Sprintf("nothing in %s says how it is built", folder)}
	}
	sources := readSources(dir)
	out.Port = portOf(sources)
	out.Edits = []devattach.Snippet{{File: p.Config, Under: "services", Text: fmt.Sprintf("  %s:\n    build: %s\n", out.Service, build)}}
	p.readManifests()
	if p.named[out.Service] { // somebody wrote how it is deployed
		return out, nil
	}
	out.Edits = append(out.Edits,
		devattach.Snippet{File: path.Join(p.Overlay, out.Service+".yaml"), New: true, Text: manifestOf(out, sources, p.port(out.Port), p.Local)},
		devattach.Snippet{File: path.Join(p.Overlay, p.kustomization()), Under: "resources", Text: "  - " + out.Service + ".yaml\n"})
	return out, nil
}

// port is where a service is reached that listens at a port: there, or at the next one
// that no other Service has on this machine.
func (p *Project) port(port int) int {
	if !p.Local {
		return port
	}
	for p.taken[port] && port < 1<<16-1 {
		port++
	}
	p.taken[port] = true
	return port
}

// folder returns the absolute path of a folder of the project, and its path within it.
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
	if below, err := filepath.Rel(root, dir); err != nil || !filepath.IsLocal(below) {
		return "", "", outside
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", "", outside
	}
	return dir, filepath.ToSlash(clean), nil
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// serviceName makes a name of Kubernetes of that of a folder.
func serviceName(folder string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(folder), "-"), "-")
	return strings.TrimRight(name[:min(len(name), 50)], "-") // pods have more behind it, and 63 letters
}
