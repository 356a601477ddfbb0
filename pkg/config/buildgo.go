package config

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// GoKeys are the keys of a Go program.
type GoKeys struct {
	// Go is a main package, for example ./cmd/api.
	Go string `yaml:"go,omitempty" json:"go,omitempty"`
	// Files are what a Go program reads at run time: files, folders or patterns,
	// relative to the folder of its package. They lie beside the program in its
	// image, in its working folder, and are sent by each save under `zr dev`.
	// Default: what the folder's own Dockerfile copies to its working folder.
	Files []string `yaml:"files,omitempty" json:"files,omitempty"`
	// Restart says that a Go program reads those files when it starts: a save of
	// one restarts it under `zr dev`.
	Restart bool `yaml:"restart,omitempty" json:"restart,omitempty"`
}

func (k GoKeys) kind() string { return "go" }
func (k GoKeys) picked() bool { return k.Go != "" }
func (k GoKeys) noun() string { return "a Go program" }

// byFolder says whether the package is named by its folder. What begins otherwise
// is an import path, which the go command finds.
func (k GoKeys) byFolder() bool { return strings.HasPrefix(k.Go, ".") || filepath.IsAbs(k.Go) }

func (k GoKeys) validate(v *validator, service string) {
	if k.byFolder() {
		v.exists(k.Go, "", service, "go")
	}
	for i, file := range k.Files {
		at := v.item(i, "services", service, "build", "files")
		_, err := path.Match(file, "")
		switch {
		case k.Go != "" && !k.byFolder():
			v.add(at, "name the package by its folder, such as ./cmd/api", "services.%s.build.files: the package is named by its import path, so that they have no folder", service)
		case !filepath.IsLocal(file) || filepath.Clean(file) == ".":
			v.add(at, "name what lies in the folder of the package", "services.%s.build.files: %q is not below %s", service, file, k.Go)
		case err != nil:
			v.add(at, "", "services.%s.build.files: %q is not a pattern: %v", service, file, err)
		}
	}
}

// check reports a package that is no program, and files that it lacks.
func (k GoKeys) check(b *Build, root string, add func(key, text, hint string)) {
	if !k.byFolder() {
		return
	}
	dir := k.Go
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	if text, hint := checkProgram(root, dir, b.Flags); text != "" {
		add("go", text, hint)
	}
	for _, pattern := range k.Files {
		if found, err := filepath.Glob(filepath.Join(dir, pattern)); err == nil && len(found) == 0 {
			add("files", fmt.Sprintf("%s has no %q", filepath.ToSlash(rel(root, dir)), pattern), "paths are relative to the folder of the package")
		}
	}
}

func (k GoKeys) proposed(root, folder string) (keys, because string) {
	if p, err := goPackage(filepath.Join(root, folder), nil); err != nil || p.Name != "main" {
		return "", ""
	}
	if folder != "." {
		folder = "./" + folder
	}
	return "{go: " + inBraces(folder) + "}", "its Go files say `package main`"
}
