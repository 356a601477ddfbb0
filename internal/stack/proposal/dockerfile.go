package proposal

import (
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"zr/pkg/config"
)

// from is a line of a Dockerfile with which a stage begins.
var from = regexp.MustCompile(`(?im)^\s*FROM\s`)

// set is a number that a Dockerfile gives a name.
var set = regexp.MustCompile(`(?im)^\s*(?:ENV|ARG)\s+(\w+)[ =]"?(\d+)"?\s*$`)

// lastStage is what a Dockerfile says of the image that is run, with values of ENV and ARG
// in the place of their names.
func lastStage(dockerfile string) string {
	dockerfile = strings.ReplaceAll(dockerfile, "\r\n", "\n") + "\n"
	if all := from.FindAllStringIndex(dockerfile, -1); len(all) > 0 {
		dockerfile = dockerfile[all[len(all)-1][0]:]
	}
	for _, m := range set.FindAllStringSubmatch(dockerfile, -1) {
		dockerfile = regexp.MustCompile(`\$\{?`+m[1]+`\b(?::-[^}]*)?\}?`).ReplaceAllLiteralString(dockerfile, m[2])
	}
	return dockerfile
}

// inContext has a Dockerfile be built in the folder that has what it copies: its own, or
// that of the project. The error says what neither has.
func (p *Project) inContext(way *config.Proposed, folder string) error {
	copied := copiedBy(p.dockerfile(folder))
	lacks := func(context string) string {
		for _, name := range copied {
			if found, err := filepath.Glob(filepath.Join(p.Root, context, name)); err == nil && len(found) == 0 {
				return name
			}
		}
		return ""
	}
	switch missing := lacks(folder); {
	case missing == "":
		return nil
	case folder != "." && lacks(".") == "":
		way.Keys = strings.TrimSuffix(way.Keys, "}") + ", context: .}"
		return nil
	default:
		return fmt.Errorf("its Dockerfile copies %s, which is not there", missing)
	}
}

// continued is the end of a line of a Dockerfile that goes on.
var continued = regexp.MustCompile(`\\[ \t]*\n`)

// copiedBy are the files and folders of its context that a Dockerfile copies, as far as it
// says them plainly.
func copiedBy(dockerfile string) (names []string) {
	for line := range strings.Lines(continued.ReplaceAllString(strings.ReplaceAll(dockerfile, "\r\n", "\n"), " ")) {
		words := strings.Fields(line)
		if len(words) < 3 || !slices.Contains([]string{"COPY", "ADD"}, strings.ToUpper(words[0])) || strings.Contains(line, "<<") {
			continue
		}
		words = words[1:]
		for len(words) > 0 && strings.HasPrefix(words[0], "--") {
			if strings.HasPrefix(words[0], "--from") || strings.HasPrefix(words[0], "--exclude") {
				words = nil
				break
			}
			words = words[1:]
		}
		if rest := strings.Join(words, " "); strings.HasPrefix(rest, "[") {
			words = nil
			_ = json.Unmarshal([]byte(rest), &words) // what is none is for the engine to refuse
		}
		for _, name := range words[:max(len(words)-1, 0)] {
			if !strings.ContainsAny(name, "$:\"'") {
				names = append(names, path.Join(".", strings.TrimPrefix(name, "/")))
			}
		}
	}
	return names
}
