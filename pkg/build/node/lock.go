package node

import (
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"

	"zr/pkg/bounded"
	"zr/pkg/fault"
)

// checkLock makes sure that the lock file is there and is of this
// package.json, so that what npm then complains about is not that.
func (p *project) checkLock(root, dir string) error {
	if !p.depends() {
		return nil
	}
	if p.lockName == "" {
		return noLock(root, dir)
	}
	var lock struct{ Packages map[string]locked }
	if err := json.Unmarshal(p.lock, &lock); err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Join(dir, p.lockName), err)
	}
	if root, ok := lock.Packages[""]; ok && !sameDependencies(root.manifest, p.manifest) {
		return fault.Hint(fmt.Errorf("reading %s: it does not belong to this %s", filepath.Join(dir, p.lockName), manifestFile),
			"run `npm install` in "+dir+" and commit the "+p.lockName)
	}
	for _, l := range lock.Packages {
		if err := p.readLocal(dir, l); err != nil {
			return err
		}
	}
	return nil
}

// foreignLocks are the lock files of other package managers than npm.
var foreignLocks = []string{"pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"}

// noLock says what there is in place of the lock file, in the service's folder or in
// one above it: how to get one depends on that.
func noLock(root, dir string) error {
	dir = path.Clean(filepath.ToSlash(dir))
	missing := fmt.Errorf("finding the lock file: %s has dependencies and no %s beside it", path.Join(dir, manifestFile), lockFile)
	for above := dir; ; above = path.Dir(above) {
		for _, name := range foreignLocks {
			if isFile(filepath.Join(root, above, name)) {
				return fault.Hint(fmt.Errorf("%w, but %s of another package manager", missing, path.Join(above, name)),
					fmt.Sprintf("packages are installed with npm: run `npm install` in %s and commit the %s, or have the tools of the project build the service: "+
						"`build: {command: …}` or `build: {dockerfile: …}`", dir, lockFile))
			}
		}
		if above != dir && hasWorkspaces(filepath.Join(root, above, manifestFile)) {
			return fault.Hint(fmt.Errorf("%w: it is a workspace of %s", missing, above),
				fmt.Sprintf("say `build: {node: %s}`, and in the manifest which file of it the container runs, such as `command: [node, %s/index.js]`", above, rel(above, dir)))
		}
		if above == "." {
			return fault.Hint(missing, "run `npm install` in "+dir+" and commit the "+lockFile)
		}
	}
}

// hasWorkspaces reports whether a package.json is that of a workspace's root.
func hasWorkspaces(file string) bool {
	raw, err := bounded.ReadFile(file, bounded.Text)
	var m manifest
	return err == nil && json.Unmarshal(raw, &m) == nil && len(m.Workspaces) > 0
}

// rel is dir as it is called from the folder above.
func rel(above, dir string) string {
	if name, err := filepath.Rel(above, dir); err == nil {
		return filepath.ToSlash(name)
	}
	return dir
}
