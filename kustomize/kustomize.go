// Package kustomize holds, for zr's program, the manifests of the dashboard that it
// brings up beside a project. They are the ones of this repository's own stack.
package kustomize

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
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

// Write writes the overlay of the dashboard, and what it is made of, below dir and
// returns the overlay's folder.
func Write(dir string) (overlay string, err error) {
	if err := os.CopyFS(dir, files); err != nil {
		return "", fmt.Errorf("writing the manifests of the dashboard: %w", err)
	}
	return filepath.Join(dir, "overlays", "dashboard"), nil
}
