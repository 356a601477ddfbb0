// Package kustomize holds, for zr's program, the manifests of the dashboard that it
// brings up beside a project. They are the ones of this repository's own stack.
package kustomize

import (
	"embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed base overlays/dashboard
var files embed.FS

// What the dashboard is called in the cluster.
const (
	Namespace = "zr-dashboard"
	Account   = "api" // the ServiceAccount whose rights it has
)

// Asking returns the labels of the pods that ask the services of environments how they are.
func Asking() map[string]string { return map[string]string{"app.kubernetes.io/name": "api"} }

// Role is the manifest of the Role that the api needs in each namespace that it
// serves, and of its binding.
//
//go:embed base/api/role.yaml
var Role []byte

// WithImages has an overlay that Write wrote run images, by the names that its manifests
// have for them.
func WithImages(overlay string, images map[string]string) error {
	file := filepath.Join(overlay, "kustomization.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("naming the images of the dashboard: %w", err)
	}
	text = append(text, "images:\n"...)
	for _, name := range slices.Sorted(maps.Keys(images)) {
		repository, digest, _ := strings.Cut(images[name], "@")
		text = fmt.Appendf(text, "  - {name: %s, newName: %q, digest: %q}\n", name, repository, digest)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("naming the images of the dashboard: %w", err)
	}
	return nil
}

// Write writes the overlay of the dashboard, and what it is made of, below dir and
// returns the overlay's folder.
func Write(dir string) (overlay string, err error) {
	if err := os.CopyFS(dir, files); err != nil {
		return "", fmt.Errorf("writing the manifests of the dashboard: %w", err)
	}
	return filepath.Join(dir, "overlays", "dashboard"), nil
}
