package overlay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"zr/pkg/bounded"
	"zr/pkg/fault"
)

// maxNodes bounds the keys and values of everything that is rendered, bases as often as
// they are included. A base that is included twice by one that is included twice, and
// so on, has no end otherwise.
const maxNodes = 4 * bounded.MaxNodes

// survey looks at all that kustomize would read, before it does: kustomize
// expands every alias, opens whatever it is led to, fetches what has an address,
// and of two equal keys drops one. Files are read once, so that kustomize
// gets what was looked at.
type survey struct {
	files    *files
	weights  map[string]int    // of folders: their keys and values, with those of their bases
	looked   map[string]looked // files
	later    []plainFile       // of which only the keys are left to be looked at
	wary     bool              // what is looked at becomes the configuration of a plugin
	problems []error
	fetches  []fetch
}

// looked is a file of YAML that was looked at.
type looked struct {
	docs  []*yaml.Node
	nodes int
}

// plainFile is a file that cannot hurt.
type plainFile struct {
	file    string
	content []byte
}

// fetch is something that kustomize fetches, and where that is said.
type fetch struct{ position, what string }

// look looks at an overlay as far as that has to be done before kustomize runs.
func look(files *files, overlay string) *survey {
	s := &survey{files: files, weights: map[string]int{}, looked: map[string]looked{}}
	root, err := filepath.EvalSymlinks(overlay)
	if err == nil && s.folder(root) > maxNodes { // an overlay that is not there is kustomize's to tell
		s.add(fmt.Errorf("%s: more than %d keys and values, bases counted as often as they are included", overlay, maxNodes), "")
	}
	return s
}

// rest looks at what is left. It may do so while kustomize runs: it takes a few
// milliseconds, for which every run of zr would wait.
func (s *survey) rest() {
	for _, m := range s.later {
		docs, _, err := bounded.Documents(m.content)
		s.take(m.file, docs, err)
	}
}

// wrong returns everything that is wrong.
func (s *survey) wrong() error { return errors.Join(s.problems...) }

func (s *survey) add(err error, hint string) {
	if hint != "" {
		err = fault.Hint(err, hint)
	}
	s.problems = append(s.problems, err)
}

// folder looks at a kustomization, and returns its weight.
func (s *survey) folder(dir string) int {
	key := fmt.Sprint(dir, s.wary)
	if weight, known := s.weights[key]; known {
		return weight
	}
	s.weights[key] = 0 // kustomize refuses one that includes itself
	weight := 0
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := filepath.Join(dir, name)
		of := s.yaml(file)
		if len(of.docs) == 0 || len(of.docs[0].Content) == 0 {
			continue
		}
		root := of.docs[0].Content[0]
		s.sameKeys(file, root)
		k := &types.Kustomization{}
		if k.Unmarshal(s.files.content[file]) == nil { // otherwise kustomize goes no further either
			k.FixKustomization()
			weight += of.nodes + s.kustomization(file, dir, root, k)
		}
	}
	s.weights[key] = min(weight, maxNodes+1)
	return s.weights[key]
}

// sameKeys refuses keys of a kustomization that differ in case only, which are
// one to kustomize.
func (s *survey) sameKeys(file string, root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		for j := 0; j < i; j += 2 {
			a, b := root.Content[j], root.Content[i]
			if a.Value != b.Value && strings.EqualFold(a.Value, b.Value) {
				s.add(fmt.Errorf("%skey %q is there already, on line %d", position(file, b), b.Value, a.Line), "upper and lower case are the same here")
			}
		}
	}
}

// kustomization follows everything that a kustomization names.
func (s *survey) kustomization(file, dir string, root *yaml.Node, k *types.Kustomization) (weight int) {
	at := func(text string) string { return position(file, scalar(root, text)) }
	if len(k.HelmCharts) > 0 {
		charts, _ := entry(root, "helmCharts")
		s.helm(file, cmp.Or(charts, root))
	}
	for _, path := range slices.Concat(k.Resources, k.Components, k.Crds, k.Configurations) {
		weight += s.path(dir, at, path)
	}
	for _, plugin := range slices.Concat(k.Generators, k.Transformers, k.Validators) {
		if docs := s.inline(at, plugin); len(docs) > 0 && len(docs[0].Content) > 0 && docs[0].Content[0].Kind == yaml.MappingNode {
			s.plugins(file, dir, docs)
			continue
		}
		before := s.wary
		s.wary = true
		weight += s.path(dir, at, plugin)
		s.wary = before
	}
	var paths []string
	if schema := k.OpenAPI["path"]; !s.isJSON(filepath.Join(dir, schema)) {
		paths = append(paths, schema)
	}
	//lint:ignore SA1019 kustomize still takes the old name
	for _, p := range slices.Concat(k.Patches, k.PatchesJson6902) {
		paths = append(paths, p.Path)
		s.inline(at, p.Patch)
	}
	//lint:ignore SA1019 kustomize still takes the old name
	for _, p := range k.PatchesStrategicMerge {
		if s.inline(at, string(p)); !strings.Contains(string(p), "\n") {
			paths = append(paths, string(p))
		}
	}
	for _, r := range k.Replacements {
		paths = append(paths, r.Path)
	}
	for _, path := range paths {
		weight += s.path(dir, at, path)
	}
	for _, g := range k.ConfigMapGenerator {
		s.sources(dir, at, g.FileSources, g.EnvSources)
	}
	for _, g := range k.SecretGenerator {
		s.sources(dir, at, g.FileSources, g.EnvSources)
	}
	return weight
}

// isJSON says whether a file is read as JSON, which has no aliases: the schema of
// a whole cluster has more keys than any other file.
func (s *survey) isJSON(file string) bool {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false
	}
	content, err := s.files.ReadFile(real)
	return err == nil && len(content) > 0 && content[0] == '{'
}

// sources looks at the files that a ConfigMap or Secret is made from.
func (s *survey) sources(dir string, at func(string) string, lists ...[]string) {
	for _, source := range slices.Concat(lists...) {
		path := source[strings.IndexByte(source, '=')+1:] // key=path
		if fetched(source) || fetched(path) {
			s.fetches = append(s.fetches, fetch{at(source), source})
			continue
		}
		info, err := os.Stat(filepath.Join(dir, path))
		if path == "" || err != nil || info.IsDir() {
			continue
		}
		switch {
		case !info.Mode().IsRegular():
			s.add(fmt.Errorf("%s%q is not a regular file", at(source), path), "")
		case info.Size() > bounded.Text:
			s.add(fmt.Errorf("%s%q has more than 1 MiB, which is what a ConfigMap or Secret holds", at(source), path), "put it into an image or a volume")
		}
	}
}

// path looks at what an entry leads to, a kustomization or a file of YAML, and
// returns its weight.
func (s *survey) path(dir string, at func(string) string, path string) int {
	if path == "" {
		return 0
	}
	if fetched(path) {
		s.fetches = append(s.fetches, fetch{at(path), path})
		return 0
	}
	real, err := filepath.EvalSymlinks(filepath.Join(dir, path))
	if err != nil {
		return 0 // kustomize says what is wrong
	}
	if info, err := os.Stat(real); err != nil || info.IsDir() {
		return s.folder(real)
	}
	if content, err := s.files.ReadFile(real); err == nil && !s.wary && plain(content) {
		if _, known := s.looked[real]; !known {
			s.looked[real] = looked{nodes: bounded.AtMost(content)}
			s.later = append(s.later, plainFile{real, content})
		}
		return s.looked[real].nodes
	}
	of := s.yaml(real)
	var configs []*yaml.Node
	for _, doc := range of.docs {
		if _, version := entry(doc.Content[0], "apiVersion"); s.wary || version != nil && version.Value == konfig.BuiltinPluginApiVersion {
			configs = append(configs, doc)
		}
	}
	s.plugins(real, dir, configs)
	return of.nodes
}

// yaml looks at a file of YAML.
func (s *survey) yaml(file string) looked {
	of, known := s.looked[file]
	if known {
		return of
	}
	s.looked[file] = looked{}
	data, err := s.files.ReadFile(file)
	if err != nil {
		if unread(err) {
			s.add(err, "what an overlay names are regular files of at most 16 MiB")
		}
		return looked{}
	}
	of.docs, of.nodes, err = bounded.Documents(data)
	if !s.take(file, of.docs, err) {
		return looked{}
	}
	of.docs = slices.DeleteFunc(of.docs, func(doc *yaml.Node) bool { return len(doc.Content) == 0 })
	s.looked[file] = of
	return of
}

// take notes what is wrong with a file that was parsed, and says whether it can
// be read.
func (s *survey) take(file string, docs []*yaml.Node, err error) bool {
	var p *bounded.Problem
	switch {
	case errors.As(err, &p):
		s.add(problemIn(file, p), p.Hint)
		return false
	case err != nil:
		s.add(unparsable(file, err), "")
		return false
	}
	for _, doc := range docs {
		for _, p := range bounded.Twice(doc) {
			s.add(problemIn(file, p), p.Hint)
		}
	}
	return true
}

// plain says whether a file of YAML cannot hurt, from its characters: it has no
// anchors, hence no aliases, little in it, and not enough brackets or blanks to be
// deep. It configures no plugin.
func plain(content []byte) bool {
	const few, brackets, column = 20_000, bounded.MaxDepth / 2, bounded.MaxDepth / 2
	if bytes.ContainsRune(content, '&') || bytes.Contains(content, []byte(konfig.BuiltinPluginApiVersion)) || bounded.AtMost(content) > few ||
		bytes.Count(content, []byte("["))+bytes.Count(content, []byte("{")) > brackets {
		return false
	}
	for line := range bytes.Lines(content) {
		if len(line)-len(bytes.TrimLeft(line, " \t-?")) > column {
			return false
		}
	}
	return true
}

func problemIn(file string, p *bounded.Problem) error {
	if p.Line == 0 {
		return fmt.Errorf("%s: %s", file, p.Text)
	}
	return fmt.Errorf("%s:%d:%d: %s", file, p.Line, p.Column, p.Text)
}

// inline looks at a text that is YAML itself, a patch or the configuration of a
// plugin, and returns its documents: none where it is something else.
func (s *survey) inline(at func(string) string, text string) []*yaml.Node {
	docs, _, err := bounded.Documents([]byte(text))
	var p *bounded.Problem
	if errors.As(err, &p) {
		s.add(fmt.Errorf("%s%s", at(text), p.Text), p.Hint)
		return nil
	}
	for _, doc := range docs {
		for _, p := range bounded.Twice(doc) {
			s.add(fmt.Errorf("%sline %d of this text: %s", at(text), p.Line, p.Text), p.Hint)
		}
	}
	if err != nil {
		return nil
	}
	return docs
}

// The keys, in lower case, by which plugins of kustomize name files: of YAML, and
// of anything.
var (
	pluginYAML = []string{"path", "paths", "targetfilepath"}
	pluginData = []string{"files", "file", "env", "envs", "valuesfile", "additionalvaluesfiles", "argsfromfile"}
)

// plugins looks at what configures generators, transformers and validators.
// Where another kustomization makes it, which may patch it, every address in it
// counts, whatever it stands for.
func (s *survey) plugins(file, dir string, configs []*yaml.Node) {
	at := func(text string) string { return position(file, scalar(configs[0], text)) }
	var walk func(n *yaml.Node, key string)
	walk = func(n *yaml.Node, key string) {
		switch {
		case n.Kind == yaml.AliasNode:
			walk(n.Alias, key)
		case n.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == "kind" && strings.HasPrefix(n.Content[i+1].Value, "HelmChart") {
					s.helm(file, n.Content[i])
				}
				walk(n.Content[i+1], strings.ToLower(n.Content[i].Value))
			}
		case n.Kind != yaml.ScalarNode:
			for _, part := range n.Content {
				walk(part, key)
			}
		case s.wary && (fetched(n.Value) || address.MatchString(n.Value)):
			s.fetches = append(s.fetches, fetch{position(file, n), n.Value})
		case slices.Contains(pluginYAML, key):
			s.path(dir, at, n.Value)
		case slices.Contains(pluginData, key):
			s.sources(dir, at, []string{n.Value})
		case strings.Contains(n.Value, "&"): // a patch in a text
			s.inline(at, n.Value)
		}
	}
	for _, doc := range configs {
		walk(doc, "")
	}
}

func (s *survey) helm(file string, n *yaml.Node) {
	s.add(fmt.Errorf("%szr does not render Helm charts", position(file, n)),
		"render the chart to a file, `helm template NAME CHART --values FILE > chart.yaml`, and list that under `resources:` in its place")
}

// scalar returns the first text of a document that has a value, or the document.
func scalar(n *yaml.Node, value string) *yaml.Node {
	var find func(n *yaml.Node) *yaml.Node
	find = func(n *yaml.Node) *yaml.Node {
		if n.Kind == yaml.ScalarNode && n.Value == value {
			return n
		}
		for _, part := range n.Content {
			if found := find(part); found != nil {
				return found
			}
		}
		return nil
	}
	return cmp.Or(find(n), n)
}
