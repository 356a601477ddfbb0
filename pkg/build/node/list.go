package node

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build"
	"zr/pkg/build/internal/ignore"
	"zr/pkg/build/internal/inputs"
	"zr/pkg/gitignore"
)

// never are names that are not sources, whatever ignore files say: what tools
// make beside them.
var never = []string{"node_modules", ".git", ".next", ".turbo", ".vercel", ".DS_Store", "next-env.d.ts"}

// lister finds the sources of a Node.js service: what its folder holds and no
// ignore file leaves out.
type lister struct {
	dir     string
	ignored *ignore.Tree
	further []string
	left    []string // pipes, sockets and devices that the last List found
}

func newLister(r build.Request) *lister {
	return &lister{
		dir:     filepath.Join(r.Root, r.Spec.Node),
		ignored: ignore.NewTree(r.Root, ".gitignore", ".zrignore"),
		further: append([]string{r.Spec.Node, r.Platform}, r.Spec.Flags...),
	}
}

// List walks the folder.
func (l *lister) List(context.Context) (inputs.List, error) {
	l.ignored.Forget()
	l.left = nil
	list := inputs.List{Further: l.further, Shapes: l.ignored.Files(filepath.Dir(l.dir))}
	return list, l.walk(&list, l.dir, nil)
}

// walk adds what a folder holds. A link to a folder is taken for the folder,
// since an image has no place for it to lead to; above are the folders that
// this one is in, as they are without links.
func (l *lister) walk(list *inputs.List, dir string, above []string) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(above, func(folder string) bool { return within(folder, real) }) {
		return nil // the link leads back
	}
	above = append(slices.Clip(above), real)
	list.Dirs = append(list.Dirs, inputs.Dir{Path: dir, Deep: true})
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !l.relevant(path, e.IsDir()) {
			continue
		}
		link := e.Type()&fs.ModeSymlink != 0
		folder := e.IsDir()
		if link {
			info, err := os.Stat(path)
			folder = err == nil && info.IsDir()
		}
		switch {
		case folder:
			if err := l.walk(list, path, above); err != nil {
				return err
			}
		case link || e.Type().IsRegular(): // a link that leads nowhere may do so later
			list.Files = append(list.Files, path)
		}
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			l.left = append(l.left, path)
		}
	}
	return nil
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}

// Settings are which ignore files count, which is another list where the project
// has become part of a work tree.
func (l *lister) Settings() string { return strings.Join(l.ignored.Files(filepath.Dir(l.dir)), "\n") }

// Shape is the content of an ignore file; others say nothing about the list.
func (l *lister) Shape(path string, content []byte) string {
	if l.ignored.IsFile(path) {
		return string(content)
	}
	return ""
}

// Relevant reports whether a name in a folder may be a source.
func (l *lister) Relevant(dir inputs.Dir, name string, isDir bool) bool {
	return l.relevant(filepath.Join(dir.Path, name), isDir)
}

func (l *lister) relevant(path string, isDir bool) bool {
	name := filepath.Base(path)
	return !slices.Contains(never, name) && !gitignore.IsEditorTemp(name) && !l.ignored.Excludes(path, isDir)
}
