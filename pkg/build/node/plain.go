package node

import (
	"context"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/build/internal/oci"
)

// plain makes the layers of a service that runs from its sources: what it
// depends on at run time, and its files with what its build script made.
func (j *job) plain(ctx context.Context) (parts, error) {
	made, err := j.buildPackages(ctx)
	if err != nil {
		return parts{}, err
	}
	var layers []oci.Layer
	if j.project.installs() {
		modules, beside, err := j.installed(ctx, true)
		if err != nil {
			return parts{}, err
		}
		layers = append(layers, modules)
		if !j.builds() {
			made = beside
		}
	}
	if err := j.assembleTree(ctx, made, false); err != nil {
		return parts{}, err
	}
	files, err := j.sources(ctx, appDir)
	if err != nil {
		return parts{}, err
	}
	return parts{append(layers, files), func(c *v1.Config) {
		c.WorkingDir = appDir
		c.Entrypoint, c.Cmd = j.project.start(), nil
		searchModules(c)
		oci.SetEnv(c, "NODE_ENV", "production")
	}}, nil
}

// buildPackages installs what a build script needs, which runs on this machine,
// and returns what scripts of the install made besides.
func (j *job) buildPackages(ctx context.Context) (made map[string]origin, err error) {
	if !j.builds() || !j.project.installs() {
		return nil, nil
	}
	return j.install(ctx, install{project: j.project, platform: hostPlatform}, filepath.Join(j.work, "source"))
}
