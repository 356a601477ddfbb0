package cli

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"zr/internal/testkit"
)

// documents reads a standard output that has to be JSON and nothing else.
func documents(t *testing.T, stdout string) (all []map[string]any) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(stdout)); ; {
		var one map[string]any
		err := d.Decode(&one)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("not JSON: %v\n%s", err, stdout)
		}
		all = append(all, one)
	}
}

// TestEveryErrorIsJSONWhereThatIsAskedFor runs each verb into an error.
func TestEveryErrorIsJSONWhereThatIsAskedFor(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	files := testkit.Project("project: tiny\nservices: {wbe: {}}\n")
	for _, args := range []string{
		"up -o json", "-o json up", "up --output=json", "dev -o json", "down -o json -e none", "status -o json", "logs -o json", "diff -o json",
		"dev --explain x -o json", "images build -o json -e none", "config show -o json -e none", "config validate -o json", "config validate -o json -e none",
		"up -o json --nonsense", "-o json up extra", "nonsense -o json", "-o json nonsense", "config nonsense -o json", "logs --level x -o json",
		"completion -o json csh", "images nonsense -o json", "version -o json extra", "--nonsense -o json",
	} {
		code, stdout, stderr := zr(t, files, strings.Fields(args)...)
		found := 0
		for _, document := range documents(t, stdout) {
			list, _ := document["errors"].([]any)
			if document["type"] == "error" {
				list = append(list, document)
			}
			for _, one := range list {
				failure := one.(map[string]any)
				if text, _ := failure["error"].(string); failure["code"] != float64(code) || text == "" || !strings.Contains(stderr, strings.SplitN(text, "\n", 2)[0]) {
					t.Errorf("%s: exit code %d, %v\n%s", args, code, failure, stderr)
				}
				if hint, _ := failure["hint"].(string); hint == "" {
					t.Errorf("%s: no hint: %v\n%s", args, failure, stderr)
				}
				found++
			}
		}
		if code == 0 || found == 0 {
			t.Errorf("%s: exit code %d, %d errors in JSON\n%s%s", args, code, found, stdout, stderr)
		}
	}
	for _, args := range []string{"up", "-o plain up", "up -o plain"} {
		if _, stdout, _ := zr(t, files, strings.Fields(args)...); strings.Contains(stdout, "{") {
			t.Errorf("%s: JSON that nobody asked for: %s", args, stdout)
		}
	}
}
