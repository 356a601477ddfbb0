package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zr runs a command line in a new folder that holds files, given as path →
// text.
func zr(t *testing.T, files map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out, talk bytes.Buffer
	code = run(t.Context(), append([]string{"zr"}, args...), &out, &talk)
	return code, out.String(), talk.String()
}

const tiny = "project: tiny\nservices: {a: {}}\n"

func TestLookingMakesNoSecrets(t *testing.T) {
	for _, args := range []string{"config validate", "config show", "config show --target kind"} {
		files := map[string]string{"config/dev.yaml": tiny, "config/secrets/dev.env.example": "A=mock-a\n"}
		code, stdout, stderr := zr(t, files, strings.Fields(args)...)
		if code != 0 || strings.Contains(stdout, "mock-a") {
			t.Errorf("%s: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		if _, err := os.Stat("config/secrets/dev.env"); err == nil {
			t.Errorf("%s made secrets", args)
		}
	}
}
