package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zr/pkg/bounded"
)

// Against reports the names of the config that its overlay lacks, given the
// names of the workloads and of the Services of type NodePort there.
func (c *Config) Against(workloads, nodePorts []string) error {
	var problems Problems
	dangling := func(name, what string, known []string, path ...string) {
		if slices.Contains(known, name) {
			return
		}
		file, line, column := c.place(append(path, name)...)
		problems = append(problems, Problem{File: file, Line: line, Column: column,
			Text: fmt.Sprintf("%s has no %s %q", c.Overlay, what, name),
			Hint: Suggest("it has "+cmp.Or(strings.Join(known, ", "), "none"), name, known)})
	}
	for name := range c.Services {
		dangling(name, "workload", workloads, "services")
	}
	for name := range c.Cluster.Ports {
		dangling(name, "Service of type NodePort", nodePorts, "cluster", "ports")
	}
	if len(problems) == 0 {
		return nil
	}
	return problems.asFault()
}

// Place returns where the key at path stands in the file, or the nearest
// enclosing one: "config/dev.yaml:3:5".
func (c *Config) Place(path ...string) string {
	file, line, column := c.place(path...)
	return fmt.Sprintf("%s:%d:%d", file, line, column)
}

// place reads the file again: positions are for those few who ask.
func (c *Config) place(path ...string) (file string, line, column int) {
	file = rel(c.Root, c.File)
	data, err := bounded.ReadFile(c.File, bounded.Text)
	if err != nil {
		return file, 1, 1 // it has changed since
	}
	docs, _, err := bounded.Documents(data)
	if err != nil || len(docs) == 0 || len(docs[0].Content) == 0 {
		return file, 1, 1
	}
	for ; len(path) > 0; path = path[:len(path)-1] {
		if key, _ := find(docs[0].Content[0], path); key != nil {
			return file, key.Line, key.Column
		}
	}
	return file, 1, 1
}
