// Package folder lists what a folder of sources holds, and keeps copies of what was
// made of it.
package folder

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build/internal/ignore"
	"zr/pkg/build/internal/inputs"
	"zr/pkg/gitignore"
)

// Lister finds the sources of a service: what its folder holds and no ignore file
// leaves out. It is an inputs.Lister.
type Lister struct {
	dir     string
	never   func(path string) bool
	ignored *ignore.Tree
	further []string
	left    []string // pipes, sockets and devices that the last List found
}

// NewLister returns the Lister of a folder of the project at root, both absolute.
// never says what is no source, whatever ignore files say; further is what the
// inputs consist of besides files.
func NewLister(root, dir string, never func(path string) bool, further ...string) *Lister {
	return &Lister{dir: dir, never: never, ignored: ignore.NewTree(root, ".gitignore", ".zrignore"), further: further}
}

// Left returns the pipes, sockets and devices that the last List found: no image
// has them.
func (l *Lister) Left() []string { return l.left }

// List walks the folder.
func (l *Lister) List(context.Context) (inputs.List, error) {
	l.ignored.Forget()
	l.left = nil
	list := inputs.List{Further: l.further, Shapes: l.ignored.Files(filepath.Dir(l.dir))}
	return list, l.walk(&list, l.dir, nil)
}

// walk adds what a folder holds. A symlink to a folder is taken for the folder,
// since an image has no place for it to lead to; above are the folders that
// this one is in, as they are without symlinks.
func (l *Lister) walk(list *inputs.List, dir string, above []string) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(above, func(folder string) bool { return within(folder, real) }) {
		return nil // the symlink leads back
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
		if link && folder {
			list.Shapes = append(list.Shapes, path)
		}
		switch {
		case folder:
			if err := l.walk(list, path, above); err != nil {
				return err
			}
		case link || e.Type().IsRegular(): // a symlink that leads nowhere may do so later
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
func (l *Lister) Settings() string { return strings.Join(l.ignored.Files(filepath.Dir(l.dir)), "\n") }

// Shape is the content of an ignore file, and where a symlink to a folder leads; others
// say nothing about the list.
func (l *Lister) Shape(path string, content []byte) string {
	if l.ignored.IsFile(path) || isLinkToFolder(path) {
		return string(content)
	}
	return ""
}

func isLinkToFolder(path string) bool {
	link, err := os.Lstat(path)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Relevant reports whether a name in a folder may be a source.
func (l *Lister) Relevant(dir inputs.Dir, name string, isDir bool) bool {
	return l.relevant(filepath.Join(dir.Path, name), isDir)
}

func (l *Lister) relevant(path string, isDir bool) bool {
	return !l.never(path) && !gitignore.IsEditorTemp(filepath.Base(path)) && !l.ignored.Excludes(path, isDir)
}
