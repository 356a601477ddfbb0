package stack

import (
	"cmp"
	"path/filepath"
	"slices"

	"zr/pkg/build"
	"zr/pkg/cmdline"
	"zr/pkg/config"
)

// adviceFor says what to do about a service that did not get healthy, from what was
// said when it ended, where its kind of build knows that.
func adviceFor(cfg *config.Config, r build.Request, words string) string {
	file, err := filepath.Rel(r.Root, cfg.File)
	if err != nil {
		file = cfg.File
	}
	return kinds.Advice(r, file, words)
}

// adviceOf is adviceFor of the service of that name, or nil where zr does not
// build it.
func (s *Stack) adviceOf(service string, lines cmdline.Run) func(words string) string {
	i := slices.IndexFunc(s.builds, func(r build.Request) bool { return r.Service == service })
	if i < 0 {
		return nil
	}
	r := s.builds[i]
	return func(words string) string { return cmp.Or(s.pullAdvice(words, lines), adviceFor(s.cfg, r, words)) }
}
