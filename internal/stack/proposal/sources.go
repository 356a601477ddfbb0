package proposal

import (
	"errors"
	"go/build"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/config"
)

// The most that is read of a folder that a service is proposed for.
const (
	proposeFiles = 200
	proposeBytes = 256 << 10 // of one file
)

// sources are the texts that may say how a service of a folder is asked: what its
// Dockerfile says of the image that is run, and what it is made from.
func (p *Project) sources(kind, folder string) string {
	dir := filepath.Join(p.Root, folder)
	var all reading
	all.text.WriteString(lastStage(p.dockerfile(folder)))
	if kind == "go" {
		if project := p.dockerfile("."); folder != "." && strings.Contains(project, folder) {
			all.text.WriteString(lastStage(project)) // which builds it
		}
		at, module := moduleOf(dir)
		all.goPackage(dir, at, module)
	} else {
		all.folder(dir)
	}
	return all.text.String()
}

// dockerfile is the text of that of a folder; empty where there is none.
func (p *Project) dockerfile(folder string) string {
	text, err := bounded.ReadFile(filepath.Join(p.Root, folder, "Dockerfile"), proposeBytes)
	if err != nil {
		return ""
	}
	return string(text)
}

// reading is what was read of a service.
type reading struct {
	text  strings.Builder
	files int
	seen  []string // folders of Go packages
}

// take reads a file, and says whether there may be more.
func (r *reading) take(file string) bool {
	if r.files++; r.files > proposeFiles {
		return false
	}
	if content, err := bounded.ReadFile(file, proposeBytes); err == nil {
		r.text.Write(content)
		r.text.WriteByte('\n')
	}
	return true
}

// goPackage reads the files of a package, and then of the packages of its module that it
// imports: where a program listens is often said by one of them.
func (r *reading) goPackage(dir, root, module string) {
	if slices.Contains(r.seen, dir) {
		return
	}
	r.seen = append(r.seen, dir)
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return // what cannot be read says nothing
	}
	for _, name := range pkg.GoFiles {
		if !r.take(filepath.Join(dir, name)) {
			return
		}
	}
	for _, imported := range pkg.Imports {
		if below, is := strings.CutPrefix(imported, module+"/"); is && module != "" {
			r.goPackage(filepath.Join(root, filepath.FromSlash(below)), root, module)
		}
	}
}

// sourceNames are the ends of files that are read, and testNames parts of the names of
// those among them that are not what is run.
var (
	sourceNames = []string{".js", ".mjs", ".cjs", ".ts", ".tsx", ".py", ".rb", "package.json"}
	testNames   = regexp.MustCompile(`\.(test|spec)\.|^test_|__tests__|\.d\.ts$`)
)

// folder reads the files of a folder, without those of folders in it that can be a service
// themselves.
func (r *reading) folder(dir string) {
	enough := errors.New("enough")
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // what cannot be read says nothing
		switch {
		case err != nil || path == dir:
			return nil
		case d.IsDir() && (notLookedIn(d.Name()) || testNames.MatchString(d.Name()) || len(config.ProposeBuilds(path, ".")) > 0):
			return fs.SkipDir
		case d.IsDir() || testNames.MatchString(d.Name()) || !slices.ContainsFunc(sourceNames, func(end string) bool { return strings.HasSuffix(path, end) }):
			return nil
		case !r.take(path):
			return enough
		}
		return nil
	})
}

// relative is a path below root as it is called there.
func relative(root, path string) string {
	below, err := filepath.Rel(root, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(below)
}

// healths are the ways in which sources say a path that is there to be asked.
var healths = regexp.MustCompile(`["'\x60](?:GET )?(/(?:healthz?|readyz?|api/health|-/ready|livez))["'\x60]`)

// healthOf is the path at which it says whether it is ready; "" where none is known.
func healthOf(sources string) string {
	if m := healths.FindStringSubmatch(sources); m != nil {
		return m[1]
	}
	return ""
}

// listener are the ways in which a program says that it takes connections.
var listener = regexp.MustCompile(`ListenAndServe|net\.Listen|\.Listen\(|\blisten\(|grpc\.NewServer|\bserve\(`)
