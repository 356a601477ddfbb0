package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/build/internal/oci"
	"zr/pkg/build/internal/proc"
	"zr/pkg/fault"
)

// next makes the layers of a Next.js application: the packages that its
// standalone output needs, and the output.
func (j *job) next(ctx context.Context) (parts, error) {
	source := filepath.Join(j.work, "source")
	files := j.sourceFiles()
	made, err := j.install(ctx, install{project: j.project, platform: hostPlatform}, source)
	if err != nil {
		return parts{}, err
	}
	maps.Copy(files, made)
	if err := mirror(files, source); err != nil {
		return parts{}, err
	}
	run := proc.Command{
		Args: []string{"node", filepath.Join(source, "node_modules/next/dist/bin/next"), "build"}, Dir: source,
		Env: environment("NODE_ENV=production",
			"ZR_BUILD_HASH="+j.set.Hash(),
			"NEXT_PRIVATE_STANDALONE=1", // the default of the option "output"
			"NEXT_SERVER_ACTIONS_ENCRYPTION_KEY="+actionsKey(j.set.Sum())),
		Clean: func(output string) string { return nextWords(output, j.Spec.Node) },
		Name:  "next build",
	}
	j.deps.Doing(j.Service, "next build")
	if err := run.Run(ctx); err != nil {
		return parts{}, err
	}
	out, err := standalone(filepath.Join(source, ".next"))
	if err != nil {
		return parts{}, err
	}
	if err := normalize(source, out, j.set.Sum()); err != nil {
		return parts{}, err
	}
	return j.nextLayers(ctx, source, out)
}

func (j *job) nextLayers(ctx context.Context, source, out string) (parts, error) {
	modules, err := j.write(ctx, "packages of next build", func(t *oci.Tar) {
		t.Tree(path.Join(appDir, "node_modules"), filepath.Join(out, "node_modules"), oci.Root, nil, nil)
	})
	if err != nil {
		return parts{}, err
	}
	app, err := j.write(ctx, "next build "+j.Spec.Node, func(t *oci.Tar) {
		t.Tree(appDir, out, oci.Root, func(rel string, _ fs.DirEntry) bool { return rel != "node_modules" }, nil)
		t.Tree(path.Join(appDir, ".next/static"), filepath.Join(source, ".next/static"), oci.Root, nil, nil)
		if public := filepath.Join(source, "public"); exists(public) {
			t.Tree(path.Join(appDir, "public"), public, oci.Root, nil, nil)
		}
	})
	if err != nil {
		return parts{}, err
	}
	return parts{[]oci.Layer{modules, app}, func(c *v1.Config) {
		c.WorkingDir = appDir
		c.Entrypoint, c.Cmd = []string{"node", path.Join(appDir, "server.js")}, nil
		oci.SetEnv(c, "NODE_ENV", "production")
		// Kubernetes sets it to the pod's name otherwise, and the server would
		// listen on the pod's address only.
		oci.SetEnv(c, "HOSTNAME", "0.0.0.0")
	}}, nil
}

// standalone returns the folder of the output that holds server.js. It is a
// deep one where next took a folder above the project for the root.
func standalone(dist string) (string, error) {
	var required struct {
		RelativeAppDir string `json:"relativeAppDir"`
	}
	raw, err := os.ReadFile(filepath.Join(dist, "required-server-files.json"))
	if err == nil {
		err = json.Unmarshal(raw, &required)
	}
	out := filepath.Join(dist, "standalone", filepath.FromSlash(required.RelativeAppDir))
	if err == nil && !exists(filepath.Join(out, "server.js")) {
		err = errors.New("there is no server.js in it")
	}
	if err != nil {
		return "", fault.Hint(fmt.Errorf("reading the output of next build: %w", err), `set output: "standalone" in next.config, and leave distDir as it is`)
	}
	return out, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// noise begins the lines of next's output that are no error: its banner, its
// progress and what it has to say about itself.
var noise = []string{
	"▲", "✓", "Creating an optimized", "Running TypeScript", "- Environments", "- Experiments",
	"Attention: Next.js", "⚠ No build cache found", "> Build error occurred",
}

// nextWords leaves the noise out, and makes paths relative to the project's
// folder instead of the service's.
func nextWords(output, dir string) string {
	var lines []string
	for line := range strings.Lines(output) {
		word := strings.TrimSpace(line)
		if word == "" || slices.ContainsFunc(noise, func(n string) bool { return strings.HasPrefix(word, n) }) {
			continue
		}
		if file, ok := strings.CutPrefix(line, "./"); ok {
			line = path.Join(dir, strings.TrimSuffix(file, "\n")) + "\n"
		}
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, ""))
}
