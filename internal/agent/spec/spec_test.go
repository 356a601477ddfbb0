package spec

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	want := Spec{Kind: Go, Seed: "/zr/seed", Dir: "/app", Volume: "/v", Command: []string{"/app/api", "-v"}}
	got, err := Parse(want.Encode())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("Parse(Encode()) = %+v, %v; want %+v", got, err, want)
	}
	got, err = Parse(`{"kind":"node","dir":"/app/src","command":["node","server.js"]}`)
	if err != nil || got.Seed != SeedDir || got.Volume != VolumeDir {
		t.Fatalf("without a seed and a volume: %+v, %v; want %s and %s", got, err, SeedDir, VolumeDir)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":         {`{`, "unexpected end"},
		"unknown kind":     {`{"kind":"php","dir":"/app","command":["x"]}`, `kind "php"`},
		"relative folder":  {`{"kind":"go","dir":"app","command":["x"]}`, `dir "app"`},
		"relative volume":  {`{"kind":"go","dir":"/app","volume":"v","command":["x"]}`, `volume "v"`},
		"root":             {`{"kind":"go","dir":"/","command":["x"]}`, `dir "/"`},
		"unclean":          {`{"kind":"go","dir":"/app/../etc","command":["x"]}`, `dir "/app/../etc"`},
		"no command":       {`{"kind":"go","dir":"/app"}`, "command is empty"},
		"relative command": {`{"kind":"go","dir":"/app","command":["./x"]}`, `command "./x"`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse(%s) = %v, want an error with %q", c.text, err, c.want)
			}
		})
	}
}
