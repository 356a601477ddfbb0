package recipe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"zr/pkg/fault"
)

// goEnv is how every Go program of zr is compiled, so that all share one
// build cache: k8s.io packages that the CLI compiled are not compiled again
// for the node.
var goEnv = []string{
	"CGO_ENABLED=0",
	"GOFLAGS=-trimpath -buildvcs=false -gcflags=all=-dwarf=false",
	"GOWORK=off",
	"GOOS=linux", "GOARCH=" + runtime.GOARCH, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off",
	// The compiler allocates much and lives short: collecting less often
	// takes a tenth off a cold build.
	"GOGC=400",
}

// programs builds the programs of a recipe and returns the folder with them.
func (b *builder) programs(ctx context.Context, r Recipe) (string, error) {
	version, err := goVersion(ctx, b.cache.path(workDir))
	if err != nil {
		return "", err
	}
	key, err := r.programsKey(version)
	if err != nil {
		return "", err
	}
	folder, err := b.cache.part(ctx, "programs", key, func(path string) error {
		source := filepath.Join(filepath.Dir(path), "source")
		if err := unpackSource(r.files, r.spec.Programs.Source, source); err != nil {
			return fmt.Errorf("unpacking the sources: %w", err)
		}
		return b.goBuild(ctx, r, source, path)
	})
	if err != nil {
		return "", fmt.Errorf("building programs: %w", err)
	}
	return folder, nil
}

func (r Recipe) programsKey(goVersion string) (string, error) {
	p := r.spec.Programs
	sum, err := hashFiles(r.files, p.Source)
	if err != nil {
		return "", err
	}
	return keyOf("programs", format, runtime.GOARCH, goVersion, sum,
		fmt.Sprint(p.Tags), fmt.Sprint(p.Ldflags), fmt.Sprint(p.Packages)), nil
}

// goVersion asks in a folder of no module, so that the project in which zr runs
// has no say.
func goVersion(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), goEnv...)
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fault.Hint(errors.New("building programs: go is not installed"), "install Go 1.26 or newer")
	}
	if err != nil {
		return "", fmt.Errorf("building programs: go env: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// unpackSource writes a module that is embedded, under the names that go
// knows.
func unpackSource(files fs.FS, folder, to string) error {
	return fs.WalkDir(files, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(name, folder+"/"))
		switch path.Base(name) {
		case "go.mod.txt", "go.sum.txt":
			target = strings.TrimSuffix(target, ".txt")
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
}

// goBuild compiles all programs with one command, so that what they share is
// compiled once and both a CPU that compiles and one that links are busy.
func (b *builder) goBuild(ctx context.Context, r Recipe, source, out string) error {
	p := r.spec.Programs
	tags := "-tags=" + strings.Join(p.Tags, ",")
	b.progress.detail("finding out what must be compiled")
	stale, err := b.staleness(ctx, source, append([]string{tags}, p.Packages...))
	if err != nil {
		return err
	}
	c := compileCounter{progress: b.progress, part: "go " + r.name, total: int64(stale)}
	c.progress.set(c.part, 0, c.total, "compiling")
	args := slices.Concat([]string{"build", "-v", "-o", out + "/", tags, "-ldflags=" + strings.Join(p.Ldflags, " ")}, p.Packages)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	err = run(ctx, command{name: "go", args: args, dir: source, env: goEnv, line: c.line})
	if err == nil {
		c.progress.set(c.part, c.total, c.total, "programs are built")
	}
	return err
}

// staleness returns how many packages the build cache lacks. Modules that are
// not there are downloaded on the way, a minute or two of it on a new machine.
func (b *builder) staleness(ctx context.Context, source string, args []string) (int, error) {
	n := 0
	err := run(ctx, command{
		name: "go", args: append([]string{"list", "-deps", "-f", "{{if .Stale}}stale {{.ImportPath}}{{end}}"}, args...),
		dir: source, env: goEnv,
		line: func(text string) bool {
			if strings.HasPrefix(text, "stale ") {
				n++
				return true
			}
			module, downloads := strings.CutPrefix(text, "go: downloading ")
			if downloads {
				b.progress.detail("downloading " + module)
			}
			return downloads
		},
	})
	return n, err
}

// compileCounter reads what go build -v says: the path of each package that
// it compiles.
type compileCounter struct {
	progress    *progress
	part        string
	done, total int64
}

var importPath = regexp.MustCompile(`^[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*$`)

func (c *compileCounter) line(text string) bool {
	if !importPath.MatchString(text) {
		return false
	}
	c.done++
	detail := "compiling " + text
	if c.done >= c.total {
		detail = "linking"
	}
	c.progress.set(c.part, min(c.done, c.total), c.total, detail)
	return true
}
