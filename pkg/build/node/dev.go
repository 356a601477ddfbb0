package node

import (
	"context"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/agentspec"
	"zr/pkg/build"
	"zr/pkg/build/internal/oci"
	"zr/pkg/config"
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
	agent, err := j.write(ctx, "zr-agent", func(t *oci.Tar) { t.Stream(agentspec.AgentPath, 0o755, oci.Root, j.Agent) })
	if err != nil {
		return parts{}, err
	}
	if err := j.assembleTree(ctx, made, false); err != nil {
		return parts{}, err
	}
	seed, err := j.sources(ctx, agentspec.SeedDir)
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
		c.Entrypoint, c.Cmd = []string{agentspec.AgentPath}, nil
		searchModules(c)
		oci.SetEnv(c, "NODE_ENV", "development")
		oci.SetEnv(c, "HOSTNAME", "0.0.0.0")
		command, standIn := j.project.devCommand(j.Spec.Dev.Command)
		oci.SetEnv(c, agentspec.EnvSpec, agentspec.Spec{Dir: sourceDir, Command: command, StandIn: standIn}.Encode())
	}}, nil
}

// devMemory is what `next dev` peaks at for a small app (590 MB were measured),
// with room for a larger one.
const devMemory = "1Gi"

// DevMode says how a save reaches the service: Next.js picks files up by itself;
// of other programs the agent starts the process anew, with what a build script
// made where there is one.
func (b *Builder) DevMode(r build.Request) (build.DevMode, error) {
	p, err := readProject(r)
	if err != nil {
		return build.DevMode{}, err
	}
	dev := build.DevMode{
		Reload: build.Restart, Dir: sourceDir, ReleaseDir: appDir, Memory: devMemory,
		Sources: p.dir, Stays: []string{path.Join(appDir, "node_modules")},
	}
	switch _, standIn := p.devCommand(r.Spec.Dev.Command); {
	case standIn && p.reloadsItself(r.Spec.Dev):
		dev.Reload = build.Sync
	case !standIn && p.builds():
		dev.Reload, dev.Sources = build.Compile, ""
	}
	return dev, nil
}

// devCommand is what the agent runs, and whether that stands in for what the
// release runs. The watch mode of node is left out: it follows files by their
// inode and misses every second save that comes as a rename. The agent starts
// the process anew instead.
func (p *project) devCommand(configured []string) (command []string, standIn bool) {
	switch {
	case len(configured) > 0:
		return withoutWatch(configured), true
	case p.next():
		return []string{"node", path.Join(appDir, "node_modules/next/dist/bin/next"), "dev"}, true
	}
	return withoutWatch(p.start()), false
}

// reloadsItself says whether the command of a dev server looks at files by
// itself. Runners of one program do where they are told to.
func (p *project) reloadsItself(d config.Dev) bool {
	switch {
	case d.Reload != "":
		return d.Reload == config.ReloadSelf
	case len(d.Command) == 0:
		return p.next()
	}
	switch path.Base(d.Command[0]) {
	case "node":
		return false
	case "tsx", "ts-node", "bun", "deno":
		return slices.ContainsFunc(d.Command[1:], func(arg string) bool {
			return arg == "watch" || arg == "--watch" || arg == "--hot"
		})
	}
	return true
}

// withoutWatch returns a command of node without the flags of its watch mode.
func withoutWatch(command []string) []string {
	if path.Base(command[0]) != "node" {
		return command
	}
	kept := []string{command[0]}
	for i := 1; i < len(command); i++ {
		arg := command[i]
		flag, _, joined := strings.Cut(arg, "=")
		valued := !joined && slices.Contains(valueFlags, flag) && i+1 < len(command)
		switch {
		case !strings.HasPrefix(arg, "-"):
			return append(kept, command[i:]...)
		case strings.HasPrefix(flag, "--watch"):
		case valued:
			kept = append(kept, arg, command[i+1])
		default:
			kept = append(kept, arg)
		}
		if valued {
			i++
		}
	}
	return kept
}
