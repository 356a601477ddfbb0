package devloop

import (
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build"
)

// Outside returns what services are made from outside of the project's folder:
// modules that their compilers read, what symlinks among sources lead to, and what
// manifests are rendered from, as folders and single files.
func Outside(root string, units []Unit) (modules, files []string) {
	for _, u := range units {
		for _, l := range symlinksOf(u) {
			switch {
			case below(l.target, root) || below(root, l.target):
			case l.folder:
				modules = append(modules, l.target)
			default:
				files = append(files, l.target)
			}
		}
		if m, ok := u.(*Manifests); ok {
			files = append(files, m.outside(root)...)
		}
		p, ok := u.(*Program)
		if !ok {
			continue
		}
		for _, f := range p.Inputs.Files() {
			path := filepath.Join(root, f.Path)
			switch {
			case filepath.IsLocal(f.Path) || f.Hash == "": // inside, or not there
			case p.Module != nil && p.Module(path) != "" && !below(root, p.Module(path)):
				modules = append(modules, p.Module(path))
			default:
				files = append(files, path)
			}
		}
	}
	in := func(path string) bool {
		return slices.ContainsFunc(modules, func(dir string) bool { return path != dir && below(path, dir) })
	}
	modules = slices.DeleteFunc(modules, in)
	files = slices.DeleteFunc(files, in)
	slices.Sort(modules)
	slices.Sort(files)
	return slices.Compact(modules), slices.Compact(files)
}

// symlinksOf returns the symlinks among what a unit is made from.
func symlinksOf(u Unit) []symlink {
	switch u := u.(type) {
	case *Compiled:
		return u.symlinks()
	case *Sources:
		return u.symlinks()
	case *Program:
		return u.symlinks()
	}
	return nil
}

// Included returns the folders that programs are made from, and says of a file
// whether one is: a compiler asks no ignore file.
func Included(units []Unit) (folders []build.InputFolder, wants func(path string) bool) {
	var programs []*Program
	for _, u := range units {
		p, ok := u.(*Program)
		if !ok {
			continue
		}
		programs = append(programs, p)
		for _, f := range p.Inputs.Folders() {
			folders = append(folders, f)
			for _, l := range p.symlinks() {
				if below(f.Path, l.path) {
					folders = append(folders, build.InputFolder{Path: l.target + strings.TrimPrefix(f.Path, l.path), Deep: f.Deep})
				}
			}
		}
		for _, l := range p.symlinks() {
			if !l.folder {
				folders = append(folders, build.InputFolder{Path: filepath.Dir(l.target)})
			}
		}
	}
	return folders, func(path string) bool {
		return slices.ContainsFunc(programs, func(p *Program) bool { return len(p.names(path)) > 0 })
	}
}

func below(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}
