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
func (p *project) adviceOf(service string, lines cmdline.Run) func(words string) string {
	i := slices.IndexFunc(p.builds, func(r build.Request) bool { return r.Service == service })
	if i < 0 {
		return nil
	}
	r := p.builds[i]
	return func(words string) string { return cmp.Or(p.pullAdvice(words, lines), adviceFor(p.cfg, r, words)) }
}
