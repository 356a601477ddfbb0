package configuration_test

import (
	"strings"
	"testing"

	"zr/internal/api/contract"
)

// What is no settings is told by line and column, what pods could not start without by
// name, and what the API server refuses in its words. Nothing of it is written.
func TestSettings422(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	for _, test := range []struct {
		text, code, message string
		line, column        int
	}{
		{"LOG_LEVEL: info\nSIZE: [1]\n", "invalid", "settings.SIZE: expected text", 2, 7},
		{"LOG_LEVEL: info\n  SIZE: 1\n", "invalid", "not valid YAML", 2, 3},
		{"LOG_LEVEL: info\nLOG_LEVEL: debug\n", "invalid", "there already", 2, 1},
		{"\"a b\": c\n", "invalid", "cannot be a key", 1, 1},
		{"- a\n", "invalid", "expected keys with values", 1, 1},
		{"SIZE: 1\n", "setting_required", "LOG_LEVEL (Deployment/api)", 0, 0},
	} {
		got := e.Send("POST", path+"/preview", body(map[string]any{"text": test.text}))
		var p contract.Problem
		got.Decode(t, &p)
		if got.Status != 422 || got.Problem(t) != test.code || len(p.Errors) == 0 {
			t.Errorf("%q: got %d %s", test.text, got.Status, got.Body)
			continue
		}
		if f := p.Errors[0]; !strings.Contains(f.Message, test.message) || f.Line != test.line || f.Column != test.column {
			t.Errorf("%q: got %+v", test.text, f)
		}
		if got := e.put(e.etag(), test.text, "why"); got.Status != 422 {
			t.Errorf("%q written: got %d %s", test.text, got.Status, got.Body)
		}
	}
	if held, source := e.held(); len(held) != 3 || source != "config/dev.yaml" {
		t.Errorf("held are %v from %q", held, source)
	}
}
