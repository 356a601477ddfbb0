package agentspec

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	want := Spec{Seed: "/zr/seed", Dir: "/app", Volume: "/v", Command: []string{"/app/api", "-v"}, StandIn: true}
	got, err := Parse(want.Encode())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("Parse(Encode()) = %+v, %v; want %+v", got, err, want)
	}
	got, err = Parse(`{"dir":"/app/src","command":["node","server.js"]}`)
	if err != nil || got.Seed != SeedDir || got.Volume != VolumeDir {
		t.Fatalf("without a seed and a volume: %+v, %v; want %s and %s", got, err, SeedDir, VolumeDir)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":         {`{`, "unexpected end"},
		"relative folder":  {`{"dir":"app","command":["x"]}`, `dir "app"`},
		"relative volume":  {`{"dir":"/app","volume":"v","command":["x"]}`, `volume "v"`},
		"root":             {`{"dir":"/","command":["x"]}`, `dir "/"`},
		"unclean":          {`{"dir":"/app/../etc","command":["x"]}`, `dir "/app/../etc"`},
		"no command":       {`{"dir":"/app"}`, "command is empty"},
		"relative command": {`{"dir":"/app","command":["./x"]}`, `command "./x"`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse(%s) = %v, want an error with %q", c.text, err, c.want)
			}
		})
	}
}

// TestTheManifestsCommandLine is what the process is started by, given what a
// manifest says of it.
func TestTheManifestsCommandLine(t *testing.T) {
	program := Spec{Command: []string{"/app/api"}}
	devServer := Spec{Command: []string{"node", "next", "dev"}, StandIn: true}
	for name, c := range map[string]struct {
		spec Spec
		args string
		want string
	}{
		"nothing":                               {program, "", "/app/api"},
		"args":                                  {program, "args --port 80", "/app/api --port 80"},
		"command":                               {program, "command /app/api serve", "/app/api serve"},
		"another program":                       {program, "command /usr/bin/tini -- /app/api", "/usr/bin/tini -- /app/api"},
		"args for a dev server":                 {devServer, "args -p 80", "node next dev -p 80"},
		"a dev server for a script":             {devServer, "command node --enable-source-maps server.js -p 80", "node next dev -p 80"},
		"a dev server for a program":            {devServer, "command /app/web -p 80", "node next dev -p 80"},
		"a dev server for a shell's line":       {devServer, "command sh -c server", "node next dev"},
		"a dev server for a script of npm":      {devServer, "command npm run start", "node next dev"},
		"a dev server for an interpreter":       {devServer, "command node", "node next dev"},
		"a dev server for a script and no more": {devServer, "command node server.js", "node next dev"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.spec.CommandLine(strings.Fields(c.args))
			if err != nil || !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	for _, args := range []string{"command", "serve --port 80"} {
		if got, err := program.CommandLine(strings.Fields(args)); err == nil {
			t.Errorf("%q is taken as %q", args, got)
		}
	}
}
