package cli

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build"
	"zr/pkg/build/gobuild"
)

// adviceFor says what to do about a Go program that cannot read a file which lies
// in its folder, from what was said when it ended. It returns "" for all else.
func (s *stack) adviceFor(r build.Request, words string) string {
	if !strings.HasPrefix(r.Spec.Go, ".") {
		return ""
	}
	name := gobuild.Unread(words, func(pattern string) bool {
		found, err := filepath.Glob(filepath.Join(r.Root, r.Spec.Go, filepath.FromSlash(pattern)))
		return err == nil && len(found) > 0
	}, r.Spec.Files)
	if name == "" {
		return ""
	}
	file, err := filepath.Rel(r.Root, s.cfg.File)
	if err != nil {
		file = s.cfg.File
	}
	return fmt.Sprintf("%s is not in the image: add `files: [%s]` to services.%s.build in %s",
		path.Join(filepath.ToSlash(r.Spec.Go), name), strings.Join(append(slices.Clone(r.Spec.Files), name), ", "), r.Service, file)
}

// adviceOf is adviceFor of the service of that name, or nil where zr does not
// build it.
func (s *stack) adviceOf(service string) func(words string) string {
	i := slices.IndexFunc(s.builds, func(r build.Request) bool { return r.Service == service })
	if i < 0 {
		return nil
	}
	r := s.builds[i]
	return func(words string) string { return s.adviceFor(r, words) }
}
