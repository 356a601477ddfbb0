package dockerfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"zr/pkg/bounded"
	"zr/pkg/build"
	"zr/pkg/build/internal/inputs"
	"zr/pkg/fault"
)

// lister finds the files that the engine is sent.
type lister struct {
	root       string // of the context
	dockerfile string
	further    []string
	passed     string

	mu      sync.Mutex
	ignored *patternmatcher.PatternMatcher
}

func newLister(r build.Request) *lister {
	l := &lister{
		root:       contextDir(r),
		dockerfile: filepath.Join(r.Root, r.Spec.Dockerfile),
		further:    append([]string{r.Spec.Dockerfile, r.Spec.Context, r.Platform}, r.Spec.Flags...),
		passed:     passed(r.Spec.Flags),
	}
	if l.passed != "" {
		sum := sha256.Sum256([]byte(l.passed)) // some may be secrets
		l.further = append(l.further, hex.EncodeToString(sum[:]))
	}
	return l
}

// passed returns the build arguments that are taken from the environment
// (`--build-arg NAME`), with their values.
func passed(flags []string) string {
	var args []string
	for i, flag := range flags {
		name, ok := strings.CutPrefix(flag, "--build-arg=")
		if i > 0 && flags[i-1] == "--build-arg" {
			name, ok = flag, true
		}
		if value, set := os.LookupEnv(name); ok && set && !strings.Contains(name, "=") {
			args = append(args, name+"="+value)
		}
	}
	return strings.Join(args, "\n")
}

// List walks the context.
func (l *lister) List(context.Context) (inputs.List, error) {
	ignored, err := l.patterns(true)
	if err != nil {
		return inputs.List{}, err
	}
	if _, err := os.Stat(l.dockerfile); err != nil {
		return inputs.List{}, fault.Hint(fmt.Errorf("reading the Dockerfile: %w", err), "the path is the service's `dockerfile:` in the config")
	}
	list := inputs.List{Further: l.further, Files: []string{l.dockerfile}, Shapes: l.ignoreFiles()}
	err = filepath.WalkDir(l.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != l.root && !l.relevant(path) {
			// A folder that is left out may hold files that are not, where a
			// pattern takes them in again.
			if d.IsDir() && !ignored.Exclusions() {
				return fs.SkipDir
			}
			return nil
		}
		switch {
		case d.IsDir():
			list.Dirs = append(list.Dirs, inputs.Dir{Path: path, Deep: true})
		case path != l.dockerfile && (d.Type().IsRegular() || d.Type()&fs.ModeSymlink != 0):
			list.Files = append(list.Files, path)
		}
		return nil
	})
	if err != nil {
		return inputs.List{}, fmt.Errorf("listing the build context: %w", err)
	}
	return list, nil
}

// ignoreFiles are where patterns may stand: an engine prefers those of the
// Dockerfile to those of the context.
func (l *lister) ignoreFiles() []string {
	return []string{l.dockerfile + ".dockerignore", filepath.Join(l.root, ".dockerignore")}
}

// patterns returns what the ignore file says, which is read once for each list.
func (l *lister) patterns(again bool) (*patternmatcher.PatternMatcher, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ignored != nil && !again {
		return l.ignored, nil
	}
	for _, name := range l.ignoreFiles() {
		patterns, err := readPatterns(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			l.ignored, err = patternmatcher.New(patterns)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", name, err)
		}
		return l.ignored, nil
	}
	l.ignored = &patternmatcher.PatternMatcher{}
	return l.ignored, nil
}

func readPatterns(name string) ([]string, error) {
	content, err := bounded.ReadFile(name, bounded.Text)
	if err != nil {
		return nil, err
	}
	return ignorefile.ReadAll(bytes.NewReader(content))
}

// Settings are the build arguments that the environment gives.
func (l *lister) Settings() string { return l.passed }

// Shape is the content of the ignore files: others say nothing about the list.
func (l *lister) Shape(path string, content []byte) string {
	if filepath.Ext(path) == ".dockerignore" {
		return string(content)
	}
	return ""
}

// Relevant reports whether the engine may be sent a name of a folder.
func (l *lister) Relevant(dir inputs.Dir, name string, _ bool) bool {
	return l.relevant(filepath.Join(dir.Path, name))
}

// relevant leaves out what the patterns do. Ones that cannot be read leave
// out nothing: List says what is wrong with them.
func (l *lister) relevant(path string) bool {
	ignored, err := l.patterns(false)
	if err != nil {
		return true
	}
	rel, err := filepath.Rel(l.root, path)
	if err != nil {
		return false
	}
	excluded, err := ignored.MatchesOrParentMatches(filepath.ToSlash(rel))
	return err != nil || !excluded
}
