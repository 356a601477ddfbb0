package config

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"zr/pkg/bounded"
)

// Against reports the names of the config that its overlay lacks. It is given three
// lists of names from there: the workloads; what can have a port of this machine ("web"
// is the first port of Service web, "web/metrics" the one of that name); and the
// images, without their tags.
func (c *Config) Against(workloads, ports, images []string) error {
	problems := c.unused(images)
	dangling := func(name, what string, known []string, keys ...string) {
		if slices.Contains(known, name) {
			return
		}
		file, line, column := c.position(append(keys, name)...)
		problems = append(problems, Problem{File: file, Line: line, Column: column,
			Text: fmt.Sprintf("%s has no %s %q", c.Overlay, what, name),
			Hint: Suggest("it has "+cmp.Or(strings.Join(known, ", "), "none"), name, known)})
	}
	for name := range c.Services {
		dangling(name, "workload", workloads, "services")
	}
	for name := range c.Cluster.Ports {
		dangling(name, "Service", ports, "cluster", "ports")
	}
	if len(problems) == 0 {
		return nil
	}
	return problems.asFault()
}

// unused reports the builds whose image no container has: what is saved would
// never run, and somebody else's image in its place.
func (c *Config) unused(images []string) Problems {
	var problems Problems
	for _, name := range sortedKeys(c.Services) {
		if c.Services[name].Build == nil || slices.Contains(images, name) {
			continue
		}
		file, line, column := c.position("services", name, "build")
		hint := "zr replaces the image that is named like the service: "
		if i := slices.IndexFunc(images, func(image string) bool { return path.Base(image) == name }); i >= 0 {
			hint += fmt.Sprintf("write `image: %s` in place of %q, or drop the build", name, images[i])
		} else {
			hint += "the containers have " + cmp.Or(strings.Join(images, ", "), "none")
		}
		problems = append(problems, Problem{File: file, Line: line, Column: column,
			Text: fmt.Sprintf("no container in %s has the image %q that this builds", c.Overlay, name), Hint: hint})
	}
	return problems
}

// Position returns where the key at path stands in the file, or the nearest
// enclosing one: "config/dev.yaml:3:5".
func (c *Config) Position(path ...string) string {
	file, line, column := c.position(path...)
	return fmt.Sprintf("%s:%d:%d", file, line, column)
}

// position reads the file again: positions are for those few who ask.
func (c *Config) position(keys ...string) (file string, line, column int) {
	file = c.Name()
	data, err := bounded.ReadFile(c.File, bounded.Text)
	if err != nil {
		return file, 1, 1 // it has changed since
	}
	docs, _, err := bounded.Documents(data)
	if err != nil || len(docs) == 0 || len(docs[0].Content) == 0 {
		return file, 1, 1
	}
	for ; len(keys) > 0; keys = keys[:len(keys)-1] {
		if key, _ := find(docs[0].Content[0], keys); key != nil {
			return file, key.Line, key.Column
		}
	}
	return file, 1, 1
}
