package gobuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"zr/pkg/bounded"
	"zr/pkg/build"
	"zr/pkg/build/internal/inputs"
	"zr/pkg/build/internal/oci"
	"zr/pkg/fault"
	"zr/pkg/gitignore"
)

// beside knows the files that a program reads at run time and that lie beside it
// in its image: those that the spec names, otherwise those that the Dockerfile
// in the folder of its package, or of its module, copies to its working folder.
type beside struct {
	request build.Request
	dir     string   // of the package; empty where only the go command knows it
	may     []string // Dockerfiles that count, which may be absent
	from    string   // the one that sources are from; empty for the spec
	sources []source
	ignored *patternmatcher.PatternMatcher // by that Dockerfile's context; nil where nothing is
}

// source is a part of the files: what a path or pattern below base names. It keeps
// its place, unless it is copied: then a file, or what is in a folder, goes to a
// folder below the program's, or is named to there.
type source struct {
	base, pattern string // the latter with slashes
	copied        bool
	to            string
	named         bool
}

func newBeside(r build.Request) (*beside, error) {
	b := &beside{request: r, dir: filepath.Join(r.Root, r.Spec.Go)}
	if filepath.IsAbs(r.Spec.Go) {
		b.dir = filepath.Clean(r.Spec.Go)
	} else if !strings.HasPrefix(r.Spec.Go, ".") {
		b.dir = ""
		return b, nil
	}
	for _, name := range r.Spec.Files {
		name = path.Clean(name)
		b.sources = append(b.sources, source{base: b.dir, pattern: name})
	}
	if len(b.sources) > 0 {
		return b, nil
	}
	folders := []string{b.dir}
	if module, _ := moduleOf(r.Root, r.Spec.Go); module != b.dir && module != r.Root {
		folders = append(folders, module)
	}
	for _, folder := range folders {
		file := filepath.Join(folder, "Dockerfile")
		b.may = append(b.may, file, filepath.Join(folder, ".dockerignore"))
		if content, err := bounded.ReadFile(file, bounded.Text); err == nil && b.from == "" {
			b.from = file
			if err := b.take(folder, content); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// take adds what a Dockerfile copies. Its context is its own folder or, where only
// that has what it names, the project. A copy of the whole context says nothing
// of what the program reads.
func (b *beside) take(folder string, dockerfile []byte) error {
	for _, c := range copies(dockerfile) {
		to := strings.TrimSuffix(c.to, "/")
		for _, pattern := range c.from {
			for _, context := range []string{folder, b.request.Root} {
				found, err := filepath.Glob(filepath.Join(context, filepath.FromSlash(pattern)))
				if err == nil && len(found) > 0 && pattern != "." {
					b.sources = append(b.sources, source{base: context, pattern: pattern, copied: true, to: to, named: to == c.to})
					break
				}
			}
		}
	}
	f, err := bounded.Open(filepath.Join(folder, ".dockerignore"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	if err == nil {
		b.ignored, err = patternmatcher.New(patterns)
	}
	if err != nil {
		return fmt.Errorf("reading %q: %w", f.Name(), err)
	}
	return nil
}

// files returns the files as they are now: path below the program's folder →
// absolute path. What is not a regular file, or no symlink to one, is left out.
func (b *beside) files() (map[string]string, error) {
	files := map[string]string{}
	for _, s := range b.sources {
		found, err := filepath.Glob(filepath.Join(s.base, filepath.FromSlash(s.pattern)))
		if err != nil {
			return nil, fmt.Errorf("finding %q: %w", s.pattern, err)
		}
		for _, match := range found {
			if err := b.add(files, s, match); err != nil {
				return nil, fmt.Errorf("finding %q: %w", s.pattern, err)
			}
		}
	}
	if _, clash := files[programName(b.request)]; clash && b.from == "" {
		return nil, fault.WithCode(fmt.Errorf("the file %q would take the place of the program", programName(b.request)), fault.Usage, "name it otherwise, or leave it out of `files:`")
	}
	delete(files, programName(b.request))
	return files, nil
}

func (b *beside) add(files map[string]string, s source, match string) error {
	return filepath.WalkDir(match, func(file string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone since
		case err != nil:
			return err
		case !b.keeps(file, s.base):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			return nil
		}
		files[s.target(match, file)] = file
		return nil
	})
}

// target returns where a file goes that is what matched, or lies in it.
func (s source) target(match, file string) string {
	switch {
	case !s.copied:
		return below(s.base, file)
	case file != match:
		return path.Join(s.to, below(match, file))
	case s.named:
		return s.to
	}
	return path.Join(s.to, filepath.Base(file))
}

// keeps leaves out what editors and version control make, and what the
// Dockerfile's context lacks.
func (b *beside) keeps(file, base string) bool {
	name := filepath.Base(file)
	if name == ".git" || gitignore.IsEditorTemp(name) {
		return false
	}
	if b.ignored == nil || base != filepath.Dir(b.from) {
		return true
	}
	excluded, err := b.ignored.MatchesOrParentMatches(below(base, file))
	return err != nil || !excluded
}

// below is a path from a folder above it, with slashes.
func below(dir, file string) string {
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}

func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// addTo adds the files to a list, and where further ones may come to be.
func (b *beside) addTo(list *inputs.List) error {
	list.Shapes = append(list.Shapes, b.may...)
	files, err := b.files()
	if err != nil {
		return err
	}
	list.Loose = slices.Sorted(maps.Values(files))
	for _, to := range slices.Sorted(maps.Keys(files)) {
		list.Further = append(list.Further, to+" from "+below(b.request.Root, files[to]))
	}
	for _, s := range b.sources {
		dirs, err := b.dirs(s, s.base, strings.Split(s.pattern, "/"))
		if err != nil {
			return fmt.Errorf("listing %q: %w", s.pattern, err)
		}
		list.Dirs = append(list.Dirs, dirs...)
		if path := filepath.Join(s.base, filepath.FromSlash(s.pattern)); len(dirs) == 0 && !slices.Contains(list.Loose, path) {
			// Neither a file nor a folder yet: it may become either.
			list.Loose = append(list.Loose, path)
			list.Dirs = append(list.Dirs, inputs.Dir{Path: path, Kind: besideDir, Deep: true, Loose: true})
		}
	}
	return nil
}

// The kinds of watched folders of files beside the program. Behind the last two
// stands the pattern of the names that count.
const (
	besideDir     = "beside"
	besideFiles   = "beside, files "
	besideFolders = "beside, folders "
)

// dirs returns the folders in which a file of a source can come to be.
func (b *beside) dirs(s source, dir string, elements []string) ([]inputs.Dir, error) {
	if len(elements) == 0 {
		return b.deep(s, dir)
	}
	var dirs []inputs.Dir
	if hasMeta(elements[0]) {
		kind := besideFolders
		if len(elements) == 1 {
			kind = besideFiles
		}
		dirs = append(dirs, inputs.Dir{Path: dir, Kind: kind + elements[0], Loose: true})
	}
	found, err := filepath.Glob(filepath.Join(dir, elements[0]))
	if err != nil {
		return nil, err
	}
	for _, match := range found {
		if info, err := os.Stat(match); err != nil || !info.IsDir() || !b.keeps(match, s.base) {
			continue
		}
		lower, err := b.dirs(s, match, elements[1:])
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, lower...)
	}
	return dirs, nil
}

func (b *beside) deep(s source, dir string) (dirs []inputs.Dir, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || !d.IsDir():
			return err
		case !b.keeps(path, s.base):
			return fs.SkipDir
		}
		dirs = append(dirs, inputs.Dir{Path: path, Kind: besideDir, Deep: true, Loose: true})
		return nil
	})
	return dirs, err
}

// besideRelevant reports whether a name may be one of the files, in a folder of
// one of the kinds above.
func besideRelevant(dir inputs.Dir, name string, isDir bool) bool {
	if name == ".git" || gitignore.IsEditorTemp(name) {
		return false
	}
	if pattern, ok := strings.CutPrefix(dir.Kind, besideFiles); ok {
		matched, _ := path.Match(pattern, name)
		return matched
	}
	if pattern, ok := strings.CutPrefix(dir.Kind, besideFolders); ok {
		matched, _ := path.Match(pattern, name)
		return matched && isDir
	}
	return true
}

// layer returns the layer of the files, below the folder dir of an image. ok is
// false where there are none.
func (b *beside) layer(ctx context.Context, deps build.Deps, dir string) (layer oci.Layer, ok bool, err error) {
	files, err := b.files()
	if err != nil || len(files) == 0 {
		return oci.Layer{}, false, err
	}
	layer, err = oci.Write(ctx, deps.Store, "files that the program reads", func(t *oci.Tar) {
		for _, to := range slices.Sorted(maps.Keys(files)) {
			t.Copy(path.Join(dir, to), oci.Root, files[to])
		}
	})
	layer.Sources = true
	return layer, true, err
}

// told says what was taken from a Dockerfile.
func (b *beside) told(deps build.Deps) {
	if b.from == "" || len(b.sources) == 0 {
		return
	}
	var names []string
	for _, s := range b.sources {
		names = append(names, s.pattern)
	}
	deps.Notice(fmt.Sprintf("%s: %s lies beside the program in its image, since %s copies it",
		b.request.Service, strings.Join(names, ", "), below(b.request.Root, b.from)),
		"`build: {files: […]}` names other files; `restart: true` says that the program reads them when it starts")
}
