package proposal

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Name is what a project in a folder is called, which is the name of its namespace, too.
func Name(root string) string {
	name := label(filepath.Base(root))
	return strings.TrimRight(name[:min(len(name), 32)], "-")
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// label makes a name of Kubernetes of a text.
func label(text string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(text), "-"), "-")
	return strings.TrimRight(name[:min(len(name), 50)], "-") // pods have more behind it, and 63 letters
}

// serviceName is that of its folder, with as much of the path before it as no other
// service has. It begins with a letter, as a Service of Kubernetes does. It is empty where
// the project has a service of each of these names.
func (p *Project) serviceName(dir, folder string) string {
	names := []string{label(filepath.Base(dir))}
	if above := path.Dir(folder); names[0] == "src" && above != "." { // which says nothing
		return p.serviceName(filepath.Dir(dir), above)
	}
	for above := path.Dir(folder); above != "." && above != "/"; above = path.Dir(above) {
		names = append(names, label(path.Base(above)+"-"+names[len(names)-1]))
	}
	if first := lettered(names[0]); !p.Has(first) { // it is one of the same plan that has it
		for n := 2; n <= len(p.planned)+2; n++ {
			names = append(names, fmt.Sprintf("%s-%d", first, n))
		}
	}
	for _, name := range names {
		// The other two are files of an overlay that is made.
		if name = lettered(name); name != "" && !p.Has(name) && !p.planned[name] && name != "namespace" && name != "kustomization" {
			return name
		}
	}
	return ""
}

// lettered is a name that begins with a letter.
func lettered(name string) string {
	if name != "" && name[0] <= '9' {
		return "app-" + name
	}
	return name
}

// ambiguous are names that a reader of YAML may take for something else than a text.
var ambiguous = regexp.MustCompile(`^(?:y|n|yes|no|on|off|true|false|null|[0-9].*)$`)

// text is a name as YAML.
func text(name string) string {
	if ambiguous.MatchString(name) {
		return `"` + name + `"`
	}
	return name
}

// called is a folder as a sentence names it.
func called(folder string) string {
	if folder == "." {
		return "the project's own folder"
	}
	return folder
}
