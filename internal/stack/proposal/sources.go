package proposal

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/config"
)

// The most that is read of a folder that a service is proposed for.
const (
	proposeFiles = 200
	proposeBytes = 256 << 10 // of one file
)

// readSources returns the texts of a folder that may say how the service is asked,
// without those of folders in it that can be a service themselves.
func readSources(dir string) string {
	var text strings.Builder
	files := 0
	enough := errors.New("enough")
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // what cannot be read says nothing
		switch {
		case err != nil:
			return nil
		case d.IsDir() && (d.Name() == "node_modules" || path != dir && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() && path != dir:
			if kind, _, _ := config.ProposeBuild(dir, relative(dir, path)); kind != "" {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".json":
		default:
			if d.Name() != "Dockerfile" {
				return nil
			}
		}
		if files++; files > proposeFiles {
			return enough
		}
		if content, err := bounded.ReadFile(path, proposeBytes); err == nil && !strings.HasSuffix(path, "_test.go") && d.Name() != "package-lock.json" {
			text.Write(content)
			text.WriteByte('\n')
		}
		return nil
	})
	return text.String()
}

// relative is a path below root as it is called there.
func relative(root, path string) string {
	below, err := filepath.Rel(root, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(below)
}

// listens are the ways in which sources say their port, the surest first; healths those
// of a path that is there to be asked.
var (
	listens = []*regexp.Regexp{
		regexp.MustCompile(`(?im)^\s*EXPOSE\s+(\d{2,5})`),
		regexp.MustCompile(`"[\w.]*:(\d{2,5})"`),
		regexp.MustCompile(`\blisten\(\s*(?:[\w.]+\s*(?:\?\?|\|\|)\s*)?(\d{2,5})`),
		regexp.MustCompile(`PORT\b[^\n]{0,20}?(?:\?\?|\|\||,)\s*"?(\d{2,5})`),
	}
	nextJS  = regexp.MustCompile(`"next"\s*:`)
	healths = regexp.MustCompile(`["'\x60](?:GET )?(/(?:healthz?|readyz?|api/health|-/ready|livez))["'\x60]`)
)

// portOf is where a service listens, as far as its sources say.
func portOf(sources string) int {
	for _, form := range listens {
		if m := form.FindStringSubmatch(sources); m != nil {
			if port, err := strconv.Atoi(m[1]); err == nil && port > 0 && port < 1<<16 {
				return port
			}
		}
	}
	if nextJS.MatchString(sources) {
		return 3000
	}
	return 8080
}

// healthOf is the path at which it says whether it is ready; "" where none is known.
func healthOf(sources string) string {
	if m := healths.FindStringSubmatch(sources); m != nil {
		return m[1]
	}
	return ""
}

// listener are the ways in which a program says that it takes connections.
var listener = regexp.MustCompile(`ListenAndServe|net\.Listen|\.Listen\(|\blisten\(|grpc\.NewServer|"next"\s*:|\bserve\(`)

// starts is a package.json with a way to start it.
var starts = regexp.MustCompile(`"(?:start|next)"\s*:`)

// listening says whether a folder with a program looks like that of a service.
func listening(kind, dir string) bool {
	switch kind {
	case "dockerfile":
		return true
	case "node":
		content, err := bounded.ReadFile(filepath.Join(dir, "package.json"), proposeBytes)
		return err == nil && starts.Match(content)
	}
	return listener.MatchString(readSources(dir))
}
