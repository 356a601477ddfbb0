package gobuild

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build"
)

// DevMode says that the program is compiled here and swapped.
func (b *Builder) DevMode(build.Request) (build.DevMode, error) {
	return build.DevMode{Reload: build.Compile, Dir: appDir, ReleaseDir: appDir}, nil
}

// Live returns how a save gets into the running program, which is compiled into the
// file out.
func (b *Builder) Live(r build.Request, set *build.InputSet, out string) (build.Live, error) {
	return build.Live{Program: &build.Program{
		File: programName(r), ReadOnce: r.Spec.Restart,
		Compile: func(ctx context.Context) (string, string, error) {
			hash, err := b.compile(ctx, r, set, out)
			return out, hash, err
		},
		Kept:    func() (string, error) { return out, b.kept(r, set, out) },
		Beside:  func() (map[string]string, error) { return besideOf(r) },
		Missing: func(path string) bool { return !strings.HasSuffix(path, "_test.go") },
		Module:  module,
	}}, nil
}

// besideOf returns the files that the program reads at run time and that lie beside
// it in its image, as they are now: slash-separated path from the program's
// folder → absolute path.
func besideOf(r build.Request) (map[string]string, error) {
	beside, err := newBeside(r)
	if err != nil {
		return nil, err
	}
	return beside.files()
}

// module returns the folder of the module that a go.mod makes. It is watched as a
// whole: a package of it that is not there yet may be imported next.
func module(input string) string {
	if filepath.Base(input) != "go.mod" {
		return ""
	}
	return filepath.Dir(input)
}

// advice is for a program that cannot read a file which lies in its folder.
func advice(r build.Request, file, words string) string {
	if !strings.HasPrefix(r.Spec.Go, ".") {
		return ""
	}
	name := unread(words, func(pattern string) bool {
		found, err := filepath.Glob(filepath.Join(r.Root, r.Spec.Go, filepath.FromSlash(pattern)))
		return err == nil && len(found) > 0
	}, r.Spec.Files)
	if name == "" {
		return ""
	}
	return fmt.Sprintf("%s is not in the image: add `files: [%s]` to services.%s.build in %s",
		path.Join(filepath.ToSlash(r.Spec.Go), name), strings.Join(append(slices.Clone(r.Spec.Files), name), ", "), r.Service, file)
}
