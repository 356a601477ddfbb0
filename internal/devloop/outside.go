package devloop

import (
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build"
)

// Outside returns what services are made from outside of the project's folder:
// modules that their compilers read, and what links among sources lead to, as
// folders and single files.
func Outside(root string, units []Unit) (modules, files []string) {
	for _, u := range units {
		if c, ok := u.(*Compiled); ok {
			u = c.Sources
		}
		if s, ok := u.(*Sources); ok {
			for _, l := range s.links() {
				switch {
				case below(l.target, root) || below(root, l.target):
				case l.folder:
					modules = append(modules, l.target)
				default:
					files = append(files, l.target)
				}
			}
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

// Included returns the folders that programs are made from, and says of a file
// whether one is: a compiler asks no ignore file.
func Included(units []Unit) (folders []build.InputFolder, wants func(path string) bool) {
	var all []Inputs
	for _, u := range units {
		if p, ok := u.(*Program); ok {
			all = append(all, p.Inputs)
			folders = append(folders, p.Inputs.Folders()...)
		}
	}
	return folders, func(path string) bool {
		return slices.ContainsFunc(all, func(i Inputs) bool { return i.Contains(path) })
	}
}

func below(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}
