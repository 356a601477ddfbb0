package config

import (
	"cmp"
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// checkProgram says what keeps the folder dir of the project at root from being
// a program, and what to do about it, or nothing.
func checkProgram(root, dir string, flags []string) (text, hint string) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return "", "" // single files, which the compiler takes too
	}
	p, err := goPackage(dir, flags)
	name := filepath.ToSlash(rel(root, dir))
	var none *build.NoGoError
	switch {
	case errors.As(err, &none) && len(p.IgnoredGoFiles) > 0:
		return fmt.Sprintf("%s has no Go file that is built for linux without cgo", name),
			"zr builds without cgo; `//go:build` lines and file names decide on the rest"
	case errors.As(err, &none), err == nil && len(p.GoFiles) == 0:
		return fmt.Sprintf("%s has no Go files", name), cmp.Or(mainBeside(root, dir, flags), "name the folder whose files say `package main`")
	case err == nil && p.Name != "main":
		return fmt.Sprintf("%s is not a main package: it is package %s", name, p.Name),
			cmp.Or(mainBeside(root, dir, flags), "name the folder whose files say `package main`")
	}
	return "", ""
}

// mainBeside suggests a main package that is the folder above, or one right below.
func mainBeside(root, dir string, flags []string) string {
	var candidates []string
	if dir != root {
		candidates = append(candidates, filepath.Dir(dir))
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			candidates = append(candidates, filepath.Join(dir, e.Name()))
		}
	}
	for _, candidate := range candidates {
		if p, err := goPackage(candidate, flags); err == nil && p.Name == "main" {
			return fmt.Sprintf("did you mean %q?", strings.TrimSuffix("./"+filepath.ToSlash(rel(root, candidate)), "/."))
		}
	}
	return ""
}

// goPackage reads what the files of a folder say at their beginnings, as they are
// built by zr: for Linux, without cgo, with the tags of the flags.
func goPackage(dir string, flags []string) (*build.Package, error) {
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", runtime.GOARCH, false
	context.BuildTags = buildTags(flags)
	context.ReadDir = regularFiles
	return context.ImportDir(dir, 0)
}

// regularFiles lists what can be read to its end: nobody may ever write to a FIFO.
func regularFiles(dir string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
		}
	}
	return files, nil
}

// buildTags are those that flags of the compiler set, as `-tags=a,b` or `-tags a,b`.
func buildTags(flags []string) (tags []string) {
	for i, flag := range flags {
		list, ok := strings.CutPrefix(strings.TrimPrefix(flag, "-"), "-tags=")
		if !ok {
			list, ok = strings.CutPrefix(flag, "-tags=")
		}
		if i > 0 && slices.Contains([]string{"-tags", "--tags"}, flags[i-1]) {
			list, ok = flag, true
		}
		if ok {
			tags = append(tags, strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })...)
		}
	}
	return tags
}
