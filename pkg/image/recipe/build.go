package recipe

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/image"
)

// Options say where Build works and whom it tells.
type Options struct {
	// Store gets the layers, as they are made.
	Store *image.Store
	// Sink gets progress in units of packages, and notices. May be nil.
	Sink event.Sink
	// Step is the step that progress belongs to.
	Step string
}

// DefaultDir returns the folder in the user's cache directory that keeps what several
// recipes share and what is dear to make: root file systems, npm packages, programs.
// Its path is absolute: programs that run in folders of their own are told it.
func DefaultDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the user's cache directory: %w", err)
	}
	return filepath.Abs(filepath.Join(cache, "zr", "recipes"))
}

// Makers returns the recipes in the form that image.Resolver asks for them. The
// resolver says which step progress belongs to.
func Makers(o Options) func(ref string) (image.Maker, bool) {
	return func(ref string) (image.Maker, bool) {
		r, ok := Find(ref)
		if !ok {
			return nil, false
		}
		return maker{r, o}, true
	}
}

type maker struct {
	recipe  Recipe
	options Options
}

func (m maker) Key() string { return m.recipe.Key() }

func (m maker) Make(ctx context.Context, step string) (v1.Image, error) {
	options := m.options
	options.Step = step
	return m.recipe.Build(ctx, options)
}

// builder is one run of Build.
type builder struct {
	Options
	cache    *cache
	progress *progress
}

// Build makes the image, or gives the one that the cache and the store still
// have all parts of. It may be called for several recipes at once, in several
// processes; parts that recipes share are made once.
func (r Recipe) Build(ctx context.Context, o Options) (v1.Image, error) {
	if runtime.GOOS != "linux" {
		return nil, fault.Hint(fmt.Errorf("making image from recipe %q: this works on Linux only", r.name),
			"connect to a registry once, so that the image can be pulled")
	}
	if o.Sink == nil {
		o.Sink = event.Discard
	}
	dir, err := DefaultDir()
	if err != nil {
		return nil, err
	}
	c, err := openCache(dir)
	if err != nil {
		return nil, err
	}
	defer c.close()
	b := &builder{Options: o, cache: c, progress: newProgress(o.Sink, o.Step)}
	img, err := b.build(ctx, r)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("making image from recipe %q: %w", r.name, err)
	}
	return img, nil
}

// sources is what the layers of a recipe are made from, once it is there.
type sources struct {
	root     *rootfs // nil where the recipe has no Debian packages
	parent   *rootfs // of the recipe that this one goes on
	programs string  // folder; empty where there are none
	npm      tree
	modules  []string // environment for the generator
}

// build gets all sources at the same time, since one compiles while others
// download, and then makes the layers.
func (b *builder) build(ctx context.Context, r Recipe) (v1.Image, error) {
	var s sources
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s.parent, s.root, err = b.rootfs(gctx, r)
		return err
	})
	if r.spec.Programs != nil {
		group.Go(func() (err error) {
			s.programs, err = b.programs(gctx, r)
			return err
		})
		group.Go(func() (err error) {
			s.modules, err = b.modules(gctx, r)
			return err
		})
	}
	group.Go(func() (err error) {
		s.npm, err = b.npm(gctx, r)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	layers, err := b.layers(ctx, r, s)
	if err != nil {
		return nil, err
	}
	return r.assemble(layers)
}

// layers returns all layers of the image, lowest first.
func (b *builder) layers(ctx context.Context, r Recipe, s sources) ([]namedLayer, error) {
	var layers []namedLayer
	if r.parent != nil {
		l, err := b.debianLayer(ctx, *r.parent, s.parent, nil)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	if s.root != nil {
		l, err := b.debianLayer(ctx, r, s.root, s.parent)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	top := s.root
	if top == nil {
		top = s.parent
	}
	if len(s.npm) > 0 {
		l, err := b.layer(ctx, "npm packages", keyOf("npm", r.key), func() (tree, error) {
			return s.npm, s.npm.addParents(top.tree)
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	if r.spec.Generate != nil {
		generated, err := b.generate(ctx, r, s)
		if err != nil {
			return nil, err
		}
		layers = append(layers, generated...)
	}
	files, err := r.fileTree(s.root == nil, top)
	if err != nil {
		return nil, err
	}
	if len(files) > 0 {
		l, err := b.layer(ctx, "files of the recipe", keyOf("files", r.key, top.key), func() (tree, error) {
			return files, files.addParents(top.tree)
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// fileTree is the recipe's own files, folders and symlinks, and the users where
// no package layer brings them.
func (r Recipe) fileTree(withUsers bool, root *rootfs) (tree, error) {
	t := tree{}
	if sub, err := fs.Sub(r.files, "root"); err == nil {
		if err := t.addFS(sub); err != nil {
			return nil, err
		}
	}
	for _, d := range r.spec.Directories {
		t[d.Path] = folderNode(int64(d.Mode), d.User)
	}
	for at, target := range r.spec.Links {
		t[at] = linkNode(target)
	}
	if withUsers && len(r.spec.Users) > 0 {
		accounts, err := accountFiles(root.tree, r.spec.Users)
		if err != nil {
			return nil, err
		}
		for name, n := range accounts {
			t[name] = n
		}
	}
	return t, nil
}
