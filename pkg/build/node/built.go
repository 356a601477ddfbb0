package node

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"zr/pkg/build/internal/proc"
)

// builtNote is the file that says what the outputs beside it were built from.
// Clearing a work copy removes it with them.
const builtNote = ".zr-built"

// built is its content.
type built struct {
	Key   string // of the build that made the outputs; empty while one is under way
	Clean bool   // no output was there before it
	// Inputs are all that went into outputs since there were none: path → hash.
	Inputs map[string]string
}

// assembleTree makes the folder "source" hold what runs: the sources, what
// scripts of the install made besides, and what the build script makes of them.
//
// A release and the seed of a dev image are built from nothing, so that the
// same inputs give the same image. An incremental build keeps the outputs of the
// one before, and with them what tools keep to be quicker, where that cannot
// leave one behind which is no longer made.
func (j *job) assembleTree(ctx context.Context, made map[string]origin, incremental bool) error {
	source := filepath.Join(j.work, "source")
	files := j.sourceFiles()
	maps.Copy(files, made)
	if !j.builds() {
		if err := mirror(files, source); err != nil {
			return err
		}
		return j.checkMain(source)
	}
	version, err := j.project.nodeVersion(ctx)
	if err != nil {
		return err
	}
	key := j.set.Sum() + " " + version
	before := readBuilt(source)
	if before.Key == key && (before.Clean || incremental) {
		return nil
	}
	next := built{Clean: true, Inputs: map[string]string{}}
	if incremental && before.isKept(files) {
		err, next = copyFiles(files, source), built{Inputs: before.Inputs}
	} else {
		err = mirror(files, source)
	}
	if err != nil {
		return err
	}
	for rel, f := range files {
		next.Inputs[rel] = f.hash
	}
	if err := next.write(source); err != nil {
		return err
	}
	if err := j.runBuild(ctx, source, files); err != nil {
		return err
	}
	next.Key = key
	return next.write(source)
}

// runBuild runs the build script.
func (j *job) runBuild(ctx context.Context, source string, files map[string]origin) error {
	run := proc.Command{
		Args: []string{"npm", "run", "--silent", "build"}, Dir: source, Name: "npm run build",
		Clean: func(output string) string { return j.ofProject(output, source, files) },
		Env:   environment("NODE_ENV=production", "ZR_BUILD_HASH="+j.set.Hash()),
	}
	j.deps.Doing(j.Service, "npm run build")
	if err := run.Run(ctx); err != nil {
		return err
	}
	return j.checkMain(source)
}

// isKept reports whether outputs may stay when files are built next: each that
// was made from one of them is made again. One that is gone would leave its own
// behind, and what stands beside package.json, or is JSON, may say where
// outputs go.
func (b built) isKept(files map[string]origin) bool {
	if b.Inputs == nil {
		return false
	}
	for rel := range b.Inputs {
		if _, ok := files[rel]; !ok {
			return false
		}
	}
	for rel, f := range files {
		if decides := filepath.Dir(rel) == "." || filepath.Ext(rel) == ".json"; decides && b.Inputs[rel] != f.hash {
			return false
		}
	}
	return true
}

// readBuilt returns what is known of the outputs in a folder.
func readBuilt(dir string) (b built) {
	raw, err := os.ReadFile(filepath.Join(dir, builtNote))
	if err != nil || json.Unmarshal(raw, &b) != nil {
		return built{}
	}
	return b
}

func (b built) write(dir string) error {
	raw, err := json.Marshal(b)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, builtNote), raw, 0o644)
	}
	if err != nil {
		return fmt.Errorf("noting what is built: %w", err)
	}
	return nil
}
