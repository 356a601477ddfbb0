package config

import (
	"path/filepath"
	"strings"
)

// CommandKeys are the keys of an image with what a command of the project makes.
type CommandKeys struct {
	// Command is run on this machine, in dir, and makes what the image holds, in
	// any language. ZR_PLATFORM tells it for which platform, such as linux/amd64.
	Command []string `yaml:"command,omitempty" json:"command,omitempty"`
	// Dir is the folder that the command reads and is run in.
	Dir string `yaml:"dir,omitempty" json:"dir,omitempty"`
	// Out is the folder below dir that the command writes: all that it holds goes
	// into the image, to /app.
	Out string `yaml:"out,omitempty" json:"out,omitempty"`
	// Run is the start command, in /app, such as [./server]. Default: what the base
	// image runs.
	Run []string `yaml:"run,omitempty" json:"run,omitempty"`
}

func (k CommandKeys) kind() string { return "command" }
func (k CommandKeys) picked() bool { return len(k.Command) > 0 }
func (k CommandKeys) noun() string { return "a command" }

func (k CommandKeys) validate(v *validator, service string) {
	v.exists(k.Dir, "folder", service, "dir")
	if !k.picked() {
		return
	}
	for _, needed := range []struct{ key, value, hint string }{
		{"dir", k.Dir, "the folder with the sources, such as `dir: ./api`"},
		{"out", k.Out, "the folder that the command writes, such as `out: dist`"},
	} {
		if needed.value == "" {
			v.add(v.value("services", service, "build"), needed.hint, "services.%s.build: a command needs %q", service, needed.key)
		}
	}
	if k.Out != "" && (!filepath.IsLocal(k.Out) || filepath.Clean(k.Out) == ".") {
		v.add(v.value("services", service, "build", "out"), "a folder that only the command writes to, such as dist", "services.%s.build.out: %q is not below the folder of the sources", service, k.Out)
	}
	for _, line := range []struct {
		key   string
		words []string
	}{{"command", k.Command}, {"run", k.Run}} {
		if len(line.words) > 0 && strings.TrimSpace(line.words[0]) == "" {
			v.add(v.item(0, "services", service, "build", line.key), "", "services.%s.build.%s: its first word names no program", service, line.key)
		}
	}
}

// check leaves the sources to the command.
func (k CommandKeys) check(*Build, string, func(key, text, hint string)) {}

// proposed is nothing: no file says which command makes an image.
func (k CommandKeys) proposed(string, string) (keys, because string) { return "", "" }
