package overlay

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/types"

	"zr/pkg/bounded"
)

// diagnose says where kustomize failed. Its own message adds itself once per
// folder and tells every attempt (as a file, as a folder, as a repository),
// and it mostly lacks the line. So the files are read again, for the faults
// that nearly all failures come down to: a file that is not there, and YAML
// that is none. For the others, kustomize's words are what there is.
func diagnose(overlay string, err error) error {
	d := &diagnosis{seen: map[string]bool{}}
	d.folder(overlay)
	if len(d.problems) > 0 {
		return errors.Join(d.problems...)
	}
	return errors.New(tidy(err.Error()))
}

type diagnosis struct {
	seen     map[string]bool
	problems []error
}

// folder checks a kustomization and all that it names.
func (d *diagnosis) folder(dir string) {
	if d.seen[dir] {
		return
	}
	d.seen[dir] = true
	file := kustomizationIn(dir)
	switch {
	case !exists(dir):
		d.problems = append(d.problems, fmt.Errorf("%s: there is no such folder", dir))
		return
	case file == "":
		d.problems = append(d.problems, fmt.Errorf("%s: there is no kustomization.yaml", dir))
		return
	}
	for _, root := range d.file(file) {
		d.kustomization(file, root)
		for _, field := range []string{"resources", "components", "bases", "crds", "transformers", "generators"} {
			if _, list := entry(root, field); list != nil {
				for _, path := range list.Content {
					d.path(file, dir, path)
				}
			}
		}
		for _, field := range []string{"patches", "patchesStrategicMerge"} {
			if _, list := entry(root, field); list != nil {
				for _, patch := range list.Content {
					if _, path := entry(patch, "path"); path != nil {
						d.path(file, dir, path)
					}
				}
			}
		}
	}
}

// kustomization checks the fields of a kustomization.
func (d *diagnosis) kustomization(file string, root *yaml.Node) {
	data, err := bounded.ReadFile(file, bounded.Large)
	if err != nil {
		return // reported when it was parsed
	}
	if err := new(types.Kustomization).Unmarshal(data); err != nil {
		text := strings.TrimPrefix(err.Error(), "invalid Kustomization: ")
		where := position(file, root)
		if key := descend(root, Quoted(text)); key != nil {
			where = position(file, key)
		}
		d.problems = append(d.problems, fmt.Errorf("%s%s", where, strings.TrimPrefix(text, "json: ")))
	}
}

// kustomizationIn returns the file that describes a folder, or "".
func kustomizationIn(dir string) string {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if file := filepath.Join(dir, name); exists(file) {
			return file
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// path checks what an entry of a kustomization names: a file or a folder.
// What looks like an address is left to kustomize.
func (d *diagnosis) path(file, dir string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || strings.ContainsAny(n.Value, ":\n?") {
		return
	}
	path := filepath.Join(dir, n.Value)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.problems = append(d.problems, fmt.Errorf("%s%q does not exist", position(file, n), n.Value))
	case err != nil:
		d.problems = append(d.problems, fmt.Errorf("%s%w", position(file, n), err))
	case info.IsDir():
		d.folder(path)
	default:
		for _, manifest := range d.file(path) {
			d.manifest(path, manifest)
		}
	}
}

// manifest checks that a document says what it is.
func (d *diagnosis) manifest(file string, root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		return // a list of JSON patches, for example
	}
	for _, field := range []string{"apiVersion", "kind"} {
		if _, value := entry(root, field); value == nil {
			d.problems = append(d.problems, fmt.Errorf("%sthe manifest has no %s", position(file, root), field))
		}
	}
}

// line finds the place in a message of the YAML parser.
var line = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): `)

// file parses a file and returns the roots of its documents.
func (d *diagnosis) file(path string) []*yaml.Node {
	if d.seen[path] {
		return nil
	}
	d.seen[path] = true
	data, err := bounded.ReadFile(path, bounded.Large)
	if err != nil {
		d.problems = append(d.problems, err)
		return nil
	}
	docs, _, err := bounded.Documents(data)
	if err != nil { // it has changed since the survey
		d.problems = append(d.problems, unparsable(path, err))
		return nil
	}
	var out []*yaml.Node
	for _, doc := range docs {
		if len(doc.Content) > 0 {
			out = append(out, doc.Content[0])
		}
	}
	return out
}

// unparsable says what the YAML parser does, with the place in front.
func unparsable(path string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if at := line.FindStringSubmatch(text); at != nil {
		return fmt.Errorf("%s:%s: %s", path, at[1], text[len(at[0]):])
	}
	return fmt.Errorf("%s: %s", path, text)
}

// tidy drops from a message of kustomize what it says about the path it took.
func tidy(text string) string {
	for _, end := range []string{" for the following resource:", "': must build at directory: "} {
		text, _, _ = strings.Cut(text, end)
	}
	for _, prefix := range []string{"accumulating resources: ", "accumulating components: "} {
		for strings.HasPrefix(text, prefix) {
			text = strings.TrimPrefix(text, prefix)
		}
	}
	if i := strings.LastIndex(text, "recursed accumulation of path "); i >= 0 {
		if path, cause, ok := strings.Cut(text[i+len("recursed accumulation of path "):], ": "); ok {
			return "in " + strings.Trim(path, "'") + ": " + tidy(cause)
		}
	}
	const attempt = "accumulation err='"
	if i := strings.LastIndex(text, attempt); i >= 0 {
		return tidy(text[i+len(attempt):])
	}
	return strings.Join(strings.Fields(text), " ")
}
