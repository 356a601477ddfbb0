package node

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"sync/atomic"

	"zr/pkg/build"
	"zr/pkg/build/internal/folder"
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
	copies  *folder.Copies // under the work folder's lock

	project atomic.Pointer[project] // as it was read last
}

// Live returns how a save gets into the container of the service. What is made for
// it lies in the folder out.
func (b *Builder) Live(r build.Request, set *build.InputSet, out string) (build.Live, error) {
	mode, err := b.DevMode(r)
	if err != nil {
		return build.Live{}, err
	}
	t := &tree{builder: b, request: r, set: set, copies: folder.NewCopies(out)}
	live := &build.Folder{
		Dir: filepath.Join(r.Root, r.Spec.Node), Restarts: mode.Reload == build.Restart,
		Rebuilds: t.rebuilds, Reread: t.reread, Private: isPrivate, Made: t.made,
	}
	if mode.Reload == build.Compile {
		live.Command = t.built
	}
	return build.Live{Folder: live}, t.reread()
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
		files, err = t.copies.Of(filepath.Join(j.work, "source"), j.isShipped)
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
			if files[filepath.ToSlash(rel)], err = t.copies.File(f.path, rel); err != nil {
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
