package proposal

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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

// readManifests notes the workloads of the project's kustomize folder, and the ports that
// their Services take of this machine. What cannot be read says nothing.
func (p *Project) readManifests() {
	if p.taken != nil {
		return
	}
	p.taken, p.named = map[int]bool{}, map[string]bool{}
	top, _, _ := strings.Cut(p.Overlay, "/")
	_ = filepath.WalkDir(filepath.Join(p.Root, top), func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err != nil || d.IsDir() || ext != ".yaml" && ext != ".yml" {
			return nil
		}
		data, err := bounded.ReadFile(path, bounded.Text)
		if err != nil {
			return nil
		}
		docs, _, err := bounded.Documents(data)
		if err != nil {
			return nil
		}
		for _, doc := range docs {
			p.note(doc)
		}
		return nil
	})
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
