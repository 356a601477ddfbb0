package gobuild

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	// unopened is how the Go library words a file that is not there.
	unopened = regexp.MustCompile(`\b(?:open|stat|lstat|readlink|chdir|fdopendir|opening|reading) "?([^\s:"'` + "`" + `]+)"?: (?:no such file or directory|file does not exist)`)
	// unmatched is how html/template and text/template do that.
	unmatched = regexp.MustCompile("pattern matches no files: [`\"]([^`\"]+)[`\"]")
)

// unread returns what a program said that it cannot read although the folder of
// its package has it, as an entry for `files:` of the config: a file, or the
// folder right below it that holds it. It returns "" where there is no such thing.
// said are the program's last words; exists says whether a pattern, with
// slashes, matches something in the folder; have are the entries that are there.
func unread(said string, exists func(pattern string) bool, have []string) string {
	for _, words := range []*regexp.Regexp{unmatched, unopened} {
		for _, m := range words.FindAllStringSubmatch(said, -1) {
			name := path.Clean(strings.ReplaceAll(m[1], `\\`, `\`))
			name = strings.TrimPrefix(name, appDir+"/")
			if !filepath.IsLocal(name) || name == "." || !exists(name) {
				continue
			}
			if folder, _, deep := strings.Cut(name, "/"); deep && !hasMeta(folder) {
				name = folder
			}
			if !slices.Contains(have, name) {
				return name
			}
		}
	}
	return ""
}
