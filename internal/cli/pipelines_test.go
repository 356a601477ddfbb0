package cli

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"
)

// TestTheExamplesOfPipelines reads the command lines of examples/pipelines as zr does.
func TestTheExamplesOfPipelines(t *testing.T) {
	files, err := filepath.Glob("../../examples/pipelines/*.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("there are %v (%v)", files, err)
	}
	line := regexp.MustCompile(`bin/zr( [^|>\n]*)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &map[string]any{}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var verbs []string
		for _, found := range line.FindAllStringSubmatch(string(text), -1) {
			args := strings.Fields(found[1])
			verb, err := parsed(args)
			if err != nil {
				t.Errorf("%s: zr%s: %v", file, found[1], err)
			}
			if _, err := parsed(append(args, "--no-such-flag")); err == nil {
				t.Errorf("%s: zr%s: flags that zr does not have are taken", file, found[1])
			}
			verbs = append(verbs, verb)
		}
		if want := []string{"push", "up", "render"}; !slices.Equal(verbs, want) {
			t.Errorf("%s runs %v, want %v", file, verbs, want)
		}
	}
}

// parsed has zr read a command line, and returns the verb that it would run.
func parsed(args []string) (verb string, err error) {
	app := newApp(io.Discard, io.Discard)
	var instead func(commands []*cli.Command)
	instead = func(commands []*cli.Command) {
		for _, c := range commands {
			c.Before, c.Action = nil, func(*cli.Context) error { verb = c.Name; return nil }
			instead(c.Subcommands)
		}
	}
	instead(app.Commands)
	return verb, app.Run(arranged(app, append([]string{"zr"}, args...)))
}
