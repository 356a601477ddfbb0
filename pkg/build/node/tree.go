package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync/atomic"

	"zr/pkg/build"
)

// tree makes, on this machine, what the container of a service holds under live
// reload besides its sources, or in place of them. It is safe for concurrent use.
//
// What it returns lies in a folder of its own that only the tree writes to: images
// are made in the work copy meanwhile, and a build that fails leaves half of its
// outputs there.
type tree struct {
	builder *Builder
	request build.Request
	set     *build.InputSet
	out     string

	project atomic.Pointer[project] // as it was read last
	copied  map[string]fs.FileInfo  // of what out has copies of, by their paths; under the work folder's lock
}

// Live returns how a save gets into the container of the service. What is made for
// it lies in the folder out.
func (b *Builder) Live(r build.Request, set *build.InputSet, out string) (build.Live, error) {
	mode, err := b.DevMode(r)
	if err != nil {
		return build.Live{}, err
	}
	t := &tree{builder: b, request: r, set: set, out: out, copied: map[string]fs.FileInfo{}}
	folder := &build.Folder{
		Dir: filepath.Join(r.Root, r.Spec.Node), Restarts: mode.Reload == build.Restart,
		Rebuilds: t.rebuilds, Reread: t.reread, Private: isPrivate, Made: t.made,
	}
	if mode.Reload == build.Compile {
		folder.Command = t.built
	}
	return build.Live{Folder: folder}, t.reread()
}

// reread reads package.json again.
func (t *tree) reread() error {
	p, err := readProject(t.request)
	if err == nil {
		t.project.Store(p)
	}
	return err
}

// rebuilds says why the image is made anew where a file of the service was saved.
func (t *tree) rebuilds(rel string) (why string) {
	installs := slices.Contains([]string{manifestFile, lockFile, shrinkFile, npmConfig}, rel)
	if installs || isRead(t.project.Load().reads(), rel) {
		return "the installed packages depend on it"
	}
	return ""
}

// isPrivate says of a source that it stays on this machine: .npmrc may hold a token
// for a registry, and only installs read it.
func isPrivate(rel string) bool { return path.Base(rel) == npmConfig }

// built makes what the service runs of its inputs as they are, and returns where
// the files are, by their paths in the container, and the hash of what they were
// made from: never that of a file saved meanwhile. The error is what the build
// script said; what was returned before is as it was then.
func (t *tree) built(ctx context.Context) (files map[string]string, hash string, err error) {
	err = t.locked(ctx, func(j *job) error {
		for {
			sum := t.set.Sum()
			made, err := j.buildPackages(ctx)
			if err != nil {
				return err
			}
			if err := j.assembleTree(ctx, made, true); err != nil {
				return err
			}
			if err := t.set.Refresh(ctx); err != nil {
				return err
			}
			if t.set.Sum() == sum {
				break
			}
		}
		hash = t.set.Hash()
		files, err = t.copyOf(filepath.Join(j.work, "source"), j.isShipped)
		return err
	})
	return files, hash, err
}

// made returns what scripts of the install made beside node_modules, by the paths
// in the container, as built does.
func (t *tree) made(ctx context.Context) (files map[string]string, err error) {
	if len(t.project.Load().scripts()) == 0 {
		return nil, nil
	}
	err = t.locked(ctx, func(j *job) error {
		_, made, err := j.installed(ctx, false)
		if err != nil {
			return err
		}
		files = map[string]string{}
		for rel, f := range made {
			if files[filepath.ToSlash(rel)], err = t.copy(f.path, rel); err != nil {
				return err
			}
		}
		return nil
	})
	return files, err
}

// locked calls f with a job in the service's work folder.
func (t *tree) locked(ctx context.Context, f func(*job) error) error {
	p, err := readProject(t.request)
	if err != nil {
		return err
	}
	work, unlock, err := t.builder.deps.LockWorkDir(ctx, t.request)
	if err != nil {
		return err
	}
	defer unlock()
	return f(&job{t.builder, t.request, p, t.set, work})
}

// copyOf makes out hold the files of a folder and nothing else.
func (t *tree) copyOf(dir string, keep func(rel string) bool) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch name := filepath.ToSlash(rel); {
		case !keep(name) && d.IsDir():
			return fs.SkipDir
		case keep(name) && isFile(path):
			files[name], err = t.copy(path, rel)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("copying what was built: %w", err)
	}
	for rel := range t.copied {
		if _, ok := files[filepath.ToSlash(rel)]; ok {
			continue
		}
		if err := os.Remove(filepath.Join(t.out, rel)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		delete(t.copied, rel)
	}
	return files, nil
}

// copy makes out hold a file, and returns where. Whoever reads the one before
// goes on reading that.
func (t *tree) copy(from, rel string) (string, error) {
	to := filepath.Join(t.out, rel)
	info, err := os.Stat(from)
	if err != nil {
		return "", err
	}
	if was, ok := t.copied[rel]; ok && os.SameFile(was, info) && was.ModTime().Equal(info.ModTime()) && was.Size() == info.Size() && was.Mode() == info.Mode() {
		return to, nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	temp := to + ".new"
	if err := copyFile(from, temp, info.Mode()); err != nil {
		return "", err
	}
	if err := os.Rename(temp, to); err != nil {
		return "", err
	}
	t.copied[rel] = info
	return to, nil
}
