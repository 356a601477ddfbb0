package node

import (
	"context"
	"encoding/json"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/build/internal/oci"
)

// dev makes the layers of a dev image: all dependencies, the agent, and the
// sources as a seed.
func (j *job) dev(ctx context.Context) (parts, error) {
	made, err := j.buildPackages(ctx)
	if err != nil {
		return parts{}, err
	}
	var layers []oci.Layer
	if j.project.installs() {
		modules, beside, err := j.installed(ctx, false)
		if err != nil {
			return parts{}, err
		}
		layers = append(layers, modules)
		if !j.builds() {
			made = beside
		}
	}
	agent, err := j.write(ctx, "zr-agent", func(t *oci.Tar) { t.Stream(agentPath, 0o755, oci.Root, j.Agent) })
	if err != nil {
		return parts{}, err
	}
	if err := j.assembleTree(ctx, made, false); err != nil {
		return parts{}, err
	}
	seed, err := j.sources(ctx, seedDir)
	if err != nil {
		return parts{}, err
	}
	mount, err := j.write(ctx, "folder of the sources", func(t *oci.Tar) {
		t.Dir(sourceDir, 0o755, oci.Root)
		for _, folder := range j.project.folders() { // node_modules leads to them beside it
			t.Symlink(path.Join(appDir, folder), path.Join(sourceDir, folder), oci.Root)
		}
	})
	if err != nil {
		return parts{}, err
	}
	return parts{append(layers, agent, mount, seed), func(c *v1.Config) {
		c.WorkingDir = sourceDir
		c.Entrypoint, c.Cmd = []string{agentPath}, nil
		searchModules(c)
		oci.SetEnv(c, "NODE_ENV", "development")
		oci.SetEnv(c, "HOSTNAME", "0.0.0.0")
		oci.SetEnv(c, agentSpec, devSpec(j.command()))
	}}, nil
}

// command is what the agent runs.
func (j *job) command() []string {
	switch {
	case len(j.Spec.Dev.Command) > 0:
		return j.Spec.Dev.Command
	case j.project.next():
		return []string{"node", path.Join(appDir, "node_modules/next/dist/bin/next"), "dev"}
	}
	if j.builds() {
		return j.project.start() // the agent restarts it
	}
	if start := j.project.start(); start[0] == "node" {
		return append([]string{"node", "--watch"}, start[1:]...)
	}
	return []string{"node", "--watch", j.project.main()}
}

// devSpec tells the agent what to run; internal/agent/spec reads it.
func devSpec(command []string) string {
	spec, err := json.Marshal(struct {
		Kind    string   `json:"kind"`
		Seed    string   `json:"seed"`
		Dir     string   `json:"dir"`
		Command []string `json:"command"`
	}{"node", seedDir, sourceDir, command})
	if err != nil {
		panic(err) // strings only: cannot fail
	}
	return string(spec)
}
