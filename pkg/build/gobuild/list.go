package gobuild

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"zr/pkg/build"
	"zr/pkg/build/internal/inputs"
)

// The kinds of watched folders.
const (
	packageDir = "go"    // names that the compiler would take
	embedDir   = "embed" // all names
)

// lister asks the go command what a program is compiled from.
type lister struct {
	toolchain
	request build.Request
}

// goPackage is what `go list` says about a package.
type goPackage struct {
	Dir            string
	ImportPath     string
	Name           string
	Standard       bool
	DepOnly        bool // it is not the program itself
	Module         *goModule
	GoFiles        []string
	IgnoredGoFiles []string
	SFiles         []string
	HFiles         []string
	SysoFiles      []string
	EmbedFiles     []string
	EmbedPatterns  []string
}

type goModule struct {
	Dir     string
	GoMod   string
	Replace *goModule
	Version string
	Main    bool
}

// fields are those of goPackage: asking for fewer is faster.
const fields = "Dir,ImportPath,Name,Standard,DepOnly,Module,GoFiles,IgnoredGoFiles,SFiles,HFiles,SysoFiles,EmbedFiles,EmbedPatterns"

// goEnv is what `go env` says about the toolchain and where it looks.
type goEnv struct{ GOVERSION, GOMOD, GOWORK, GOMODCACHE, GOROOT, GOENV string }

// List runs `go list` and `go env`.
func (l *lister) List(ctx context.Context) (inputs.List, error) {
	tool, err := l.path()
	if err != nil {
		return inputs.List{}, err
	}
	var env goEnv
	var packages []goPackage
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		out, err := l.command("env", "-json", "GOVERSION", "GOMOD", "GOWORK", "GOMODCACHE", "GOROOT", "GOENV").Output(ctx)
		if err != nil {
			return reason(err)
		}
		return json.Unmarshal(out, &env)
	})
	group.Go(func() (err error) {
		args := append([]string{"list", "-deps", "-json=" + fields}, l.flags...)
		list := l.command(append(args, l.pkg)...)
		list.Name = "go list " + l.spec
		var out []byte
		err = l.attended(ctx, func(ctx context.Context) (err error) {
			out, err = list.Output(ctx)
			return err
		})
		if err != nil {
			return reason(err)
		}
		packages, err = decode(out)
		return err
	})
	if err := group.Wait(); err != nil {
		return inputs.List{}, err
	}
	list := inputs.List{
		Tools: []string{tool}, Files: l.flagFiles(),
		Further: append([]string{
			env.GOVERSION, l.pkg, l.goos, l.goarch, l.variant, goFlags, l.ldflags,
		}, l.flags...),
	}
	l.settings(&list, env)
	for _, p := range packages {
		if !p.DepOnly {
			if err := l.notMain(p); err != nil {
				return inputs.List{}, err
			}
		}
		if !p.local(env) {
			continue
		}
		if err := p.addTo(&list); err != nil {
			return inputs.List{}, err
		}
		if !p.DepOnly {
			addProfile(&list, filepath.Join(p.Dir, "default.pgo"))
		}
	}
	beside, err := newBeside(l.request)
	if err == nil {
		err = beside.addTo(&list)
	}
	if err != nil {
		return inputs.List{}, err
	}
	list.Files = sortedSet(list.Files)
	list.Shapes = slices.DeleteFunc(sortedSet(list.Shapes), func(path string) bool {
		_, also := slices.BinarySearch(list.Files, path)
		return also
	})
	return list, nil
}

// environment are the variables that decide which toolchain and which modules
// the go command takes.
var environment = []string{"GOTOOLCHAIN", "GOROOT", "GOWORK", "GOENV"}

// Settings are the go command and those variables.
func (l *lister) Settings() string {
	tool, _ := l.path() // List says that there is none
	settings := []string{tool}
	for _, name := range environment {
		settings = append(settings, name+"="+os.Getenv(name))
	}
	return strings.Join(settings, "\n")
}

// flagFiles are the files that flags of the compiler name.
func (l *lister) flagFiles() (files []string) {
	for _, flag := range l.flags {
		name, file, _ := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
		switch name {
		case "-modfile", "modfile", "-overlay", "overlay", "-pgo", "pgo":
			if file == "" || file == "auto" || file == "off" {
				continue
			}
			if !filepath.IsAbs(file) {
				file = filepath.Join(l.dir, file)
			}
			files = append(files, file)
		}
	}
	return files
}

// addProfile adds the profile that the compiler optimises the program by, or
// that it may come to be.
func addProfile(list *inputs.List, file string) {
	if _, err := os.Stat(file); err == nil {
		list.Files = append(list.Files, file)
	} else {
		list.Shapes = append(list.Shapes, file)
	}
}

func decode(out []byte) ([]goPackage, error) {
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the output of go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// settings adds the files that fix versions and settings, also those that may
// come to be.
func (l *lister) settings(list *inputs.List, env goEnv) {
	if env.GOMOD != "" {
		dir := filepath.Dir(env.GOMOD)
		list.Files = append(list.Files, env.GOMOD, filepath.Join(dir, "go.sum"), filepath.Join(dir, "vendor", "modules.txt"))
	}
	if env.GOWORK != "" && env.GOWORK != "off" {
		list.Files = append(list.Files, env.GOWORK, env.GOWORK+".sum", filepath.Join(filepath.Dir(env.GOWORK), "vendor", "modules.txt"))
	} else {
		list.Shapes = append(list.Shapes, filepath.Join(l.dir, "go.work"), filepath.Join(l.root, "go.work"))
	}
	if env.GOENV != "" && env.GOENV != "off" {
		list.Shapes = append(list.Shapes, env.GOENV)
	}
}

// local reports whether a package's files can change: those of the standard
// library go with the toolchain's version, those of the module cache with the
// sums that the project keeps.
func (p goPackage) local(env goEnv) bool {
	return !p.Standard && p.Dir != "" && !within(p.Dir, env.GOROOT) && !within(p.Dir, env.GOMODCACHE)
}

func (p goPackage) addTo(list *inputs.List) error {
	for _, names := range [][]string{p.GoFiles, p.SFiles, p.HFiles, p.SysoFiles, p.EmbedFiles} {
		for _, name := range names {
			list.Files = append(list.Files, filepath.Join(p.Dir, filepath.FromSlash(name)))
		}
	}
	for _, name := range p.IgnoredGoFiles { // a changed constraint makes one count
		list.Shapes = append(list.Shapes, filepath.Join(p.Dir, name))
	}
	list.Dirs = append(list.Dirs, inputs.Dir{Path: p.Dir, Kind: packageDir})
	dirs, err := embedDirs(p.Dir, p.EmbedPatterns)
	if err != nil {
		return fmt.Errorf("listing what package %q embeds: %w", p.ImportPath, err)
	}
	list.Dirs = append(list.Dirs, dirs...)
	if m := p.Module; m != nil {
		if m.Replace != nil {
			m = m.Replace
		}
		if m.GoMod != "" {
			list.Files = append(list.Files, m.GoMod)
		}
	}
	return nil
}

func within(path, dir string) bool {
	return dir != "" && (path == dir || strings.HasPrefix(path, dir+string(filepath.Separator)))
}

func sortedSet(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}
