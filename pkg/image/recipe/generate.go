package recipe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// generate runs the recipe's program that lays out layers, unless the store
// has what it would write. It gets its inputs in the environment: ZR_OUT,
// ZR_PROGRAMS, ZR_ROOTFS, and the variables of the recipe's modules.
func (b *builder) generate(ctx context.Context, r Recipe, s sources) ([]namedLayer, error) {
	g := r.spec.Generate
	root := s.root
	if root == nil {
		root = s.parent
	}
	// The recipe's key covers the modules, which it pins.
	key := keyOf("generated", filepath.Base(s.programs), root.key, r.key)
	keyFor := func(name string) string { return keyOf(key, name) }

	var layers []namedLayer
	for _, name := range g.Layers {
		l, ok, err := b.storedLayer(ctx, b.cache.path("layers", keyOf(format, keyFor(name))))
		if err != nil {
			return nil, err
		}
		if ok {
			layers = append(layers, namedLayer{name, l})
		}
	}
	if len(layers) == len(g.Layers) {
		return layers, nil
	}

	dir, err := os.MkdirTemp(b.cache.path(workDir), "generate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b.progress.detail("laying out files")
	err = run(ctx, command{
		name: filepath.Join(s.programs, g.Program), dir: dir,
		env: append(slices.Clone(s.modules),
			"ZR_OUT="+dir, "ZR_PROGRAMS="+s.programs, "ZR_ROOTFS="+root.path,
			"SOURCE_DATE_EPOCH="+strconv.FormatInt(sourceDate.Unix(), 10)),
	})
	if err != nil {
		return nil, fmt.Errorf("generating layers: %w", err)
	}
	layers = nil
	for _, name := range g.Layers {
		l, err := b.layer(ctx, name, keyFor(name), func() (tree, error) {
			t, err := readDir(filepath.Join(dir, name))
			if err != nil {
				return nil, err
			}
			t.adoptFolders(root.tree)
			return t, t.addParents(root.tree)
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return layers, nil
}
