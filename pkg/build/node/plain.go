package node

import (
	"context"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/build/internal/oci"
	"zr/pkg/build/internal/proc"
)

// plain makes the layers of a service that runs from its sources: what it
// depends on at run time, and its files with what its build script made.
func (j *job) plain(ctx context.Context) (parts, error) {
	source := filepath.Join(j.work, "source")
	var layers []oci.Layer
	_, builds := j.project.manifest.Scripts["build"]
	if builds && j.project.installs() {
		if err := j.install(ctx, install{project: j.project, platform: hostPlatform}, source); err != nil {
			return parts{}, err
		}
	}
	if err := mirror(j.Request, j.set, source); err != nil {
		return parts{}, err
	}
	if builds {
		run := proc.Command{
			Args: []string{"npm", "run", "build"}, Dir: source, Clean: npmWords,
			Env: environment("NODE_ENV=production", "ZR_BUILD_HASH="+j.set.Hash()),
		}
		j.deps.Doing(j.Service, "npm run build")
		if err := run.Run(ctx); err != nil {
			return parts{}, err
		}
	}
	if j.project.installs() {
		modules, err := j.installed(ctx, true)
		if err != nil {
			return parts{}, err
		}
		layers = append(layers, modules)
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
