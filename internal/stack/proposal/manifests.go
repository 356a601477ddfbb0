package proposal

import (
	"os"
	"path"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"zr/pkg/bounded"
)

// kustomizations are the names that kustomize knows for its file, the usual first.
var kustomizations = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// kustomization is the name of the overlay's own file, which need not exist.
func (p *Project) kustomization() string {
	for _, name := range kustomizations {
		if _, err := os.Stat(filepath.Join(p.Root, filepath.FromSlash(p.Overlay), name)); err == nil {
			return name
		}
	}
	return kustomizations[0]
}

// manifest is what is read of an object.
type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Type  string
		Ports []struct{ Port int }
	}
}

// readManifests notes the workloads that the overlay has already, and the ports that their
// Services take of this machine. What cannot be read says nothing.
func (p *Project) readManifests() {
	if p.taken != nil {
		return
	}
	p.taken, p.named = map[int]bool{}, map[string]bool{}
	p.readKustomization(p.Overlay, map[string]bool{})
}

// readKustomization follows what a folder's kustomization names in the project.
func (p *Project) readKustomization(folder string, seen map[string]bool) {
	if seen[folder] {
		return
	}
	seen[folder] = true
	var k struct{ Resources, Bases, Components []string }
	for _, name := range kustomizations {
		if data, err := bounded.ReadFile(filepath.Join(p.Root, filepath.FromSlash(folder), name), bounded.Text); err == nil {
			_ = yaml.Unmarshal(data, &k)
			break
		}
	}
	for _, entry := range slices.Concat(k.Resources, k.Bases, k.Components) {
		at := path.Join(folder, entry)
		if !filepath.IsLocal(at) {
			continue
		}
		if data, err := bounded.ReadFile(filepath.Join(p.Root, filepath.FromSlash(at)), bounded.Text); err != nil {
			p.readKustomization(at, seen)
		} else if docs, _, err := bounded.Documents(data); err == nil {
			for _, doc := range docs {
				p.note(doc)
			}
		}
	}
}

func (p *Project) note(doc *yaml.Node) {
	var m manifest
	if doc.Decode(&m) != nil {
		return
	}
	switch {
	case slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, m.Kind):
		p.named[m.Metadata.Name] = true
	case m.Kind == "Service" && (m.Spec.Type == "NodePort" || m.Spec.Type == "LoadBalancer"):
		for _, port := range m.Spec.Ports {
			p.taken[port.Port] = true
		}
	}
}
