package config

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// project writes the files of a project and returns its folder.
func takeProject(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const takeHead = "# the shop\nproject: shop # its name\n\nservices:\n    web: {}   # odd layout stays\n"

func TestTakeSettingsTouchesOnlyWhatDiffers(t *testing.T) {
	for _, test := range []struct {
		what, before, after string
		settings            map[string]string
	}{
		{"a value", "settings: # read by web\n  # how much\n  LOG_LEVEL: info   # or debug\n  PORT: \"80\" # text\n",
			"settings: # read by web\n  # how much\n  LOG_LEVEL: debug   # or debug\n  PORT: \"8080\" # text\n", map[string]string{"LOG_LEVEL": "debug", "PORT": "8080"}},
		{"a number stays one", "settings:\n  RETRIES: 3\n  ON: true\n", "settings:\n  RETRIES: 4\n  ON: maybe\n", map[string]string{"RETRIES": "4", "ON": "maybe"}},
		{"single quotes", "settings:\n  A: 'it''s # here' # why\n", "settings:\n  A: gone # why\n", map[string]string{"A": "gone"}},
		{"what looks like a comment", "settings:\n  A: x#y # why\n", "settings:\n  A: 'z #y' # why\n", map[string]string{"A": "z #y"}},
		{"one more", "settings:\n  B: b\n\n  # the last\n  A: a\n\n# the end\n", "settings:\n  B: b\n\n  # the last\n  A: a\n  C.x: \"1\"\n  D: \"\"\n\n# the end\n",
			map[string]string{"A": "a", "B": "b", "C.x": "1", "D": ""}},
		{"one less", "settings:\n  A: a\n  # of b\n  B: b\n  C: c\ndashboard: false\n", "settings:\n  A: a\n  # of b\n  C: c\ndashboard: false\n", map[string]string{"A": "a", "C": "c"}},
		{"the last goes, and another comes", "settings:\n  A: a\n  B: b\ndashboard: false\n", "settings:\n  A: a\n  C: c\ndashboard: false\n", map[string]string{"A": "a", "C": "c"}},
		{"all go", "settings:\n  A: a\ndashboard: false\n", "settings:\ndashboard: false\n", nil},
		{"the first ones", "dashboard: false", "dashboard: false\nsettings:\n  A: a\n", map[string]string{"A": "a"}},
		{"the first ones below the key", "settings: # none yet\ndashboard: false\n", "settings: # none yet\n  A: a\ndashboard: false\n", map[string]string{"A": "a"}},
		{"a block of lines", "settings:\n  A: |\n    one\n    two\n  B: b\n", "settings:\n  A: three\n  B: b\n", map[string]string{"A": "three", "B": "b"}},
		{"lines for a word", "settings:\n  A: a\n  B: b\n", "settings:\n  A: \"one\\ntwo\\n\"\n  B: b\n", map[string]string{"A": "one\ntwo\n", "B": "b"}},
		{"a value below its key", "settings:\n  A:\n    a\n  B: b\n", "settings:\n  A: c\n  B: b\n", map[string]string{"A": "c", "B": "b"}},
		{"in braces", "settings: {A: a, B: b}\n", "settings: {A: c, B: b, D: d}\n", map[string]string{"A": "c", "B": "b", "D": "d"}},
		{"an alias", "settings:\n  A: &x a\n  B: *x\n", "settings:\n  A: c\n  B: d\n", map[string]string{"A": "c", "B": "d"}},
	} {
		root := takeProject(t, map[string]string{"config/dev.yaml": takeHead + test.before})
		c, err := Load(root, "dev")
		if err != nil {
			t.Fatal(test.what, err)
		}
		changed, err := c.TakeSettings(test.settings)
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		got, err := os.ReadFile(c.File)
		if err != nil {
			t.Fatal(err)
		}
		head := takeHead
		if test.what == "in braces" || test.what == "an alias" { // written anew
			head = strings.NewReplacer("    web", "  web", "{}   #", "{} #").Replace(head)
			head = strings.Replace(head, "\n\nservices", "\nservices", 1)
		}
		if string(got) != head+test.after {
			t.Errorf("%s: got\n%s\nwant\n%s", test.what, got, head+test.after)
		}
		if len(changed) == 0 {
			t.Errorf("%s: nothing is said to have changed", test.what)
		}
		now, err := Load(root, "dev")
		if err != nil || !maps.Equal(now.Settings, test.settings) {
			t.Errorf("%s: reads as %v, %v", test.what, now, err)
		}
	}
}

func TestTakeSettingsKeepsAFileThatSaysThem(t *testing.T) {
	root := takeProject(t, map[string]string{"config/dev.yaml": takeHead + "settings: {A:   a}\n"})
	c, err := Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := c.TakeSettings(map[string]string{"A": "a"}); err != nil || len(changed) > 0 {
		t.Errorf("got %v, %v", changed, err)
	}
	if got, _ := os.ReadFile(c.File); !strings.HasSuffix(string(got), "{A:   a}\n") {
		t.Errorf("it was written all the same: %s", got)
	}
	if err := os.Chmod(c.File, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := c.TakeSettings(map[string]string{"A": "b"}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(c.File); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
}

// A change of settings that the file does not have is refused, and it stays.
func TestChangeSettings(t *testing.T) {
	root := takeProject(t, map[string]string{"config/dev.yaml": takeHead + "settings:\n  A: a # why\n"})
	c, err := Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ChangeSettings(map[string]string{"A": "x", "B": "b"}, map[string]string{"A": "c"})
	if other, is := errors.AsType[*OtherSettingsError](err); !is || other.File != "config/dev.yaml" || !slices.Equal(other.Keys, []string{"A", "B"}) {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(c.File); !strings.HasSuffix(string(got), "  A: a # why\n") {
		t.Errorf("it was written all the same: %s", got)
	}
	if keys, err := c.ChangeSettings(map[string]string{"A": "a"}, map[string]string{"A": "c"}); err != nil || !slices.Equal(keys, []string{"A"}) {
		t.Errorf("got %v, %v", keys, err)
	}
	if got, _ := os.ReadFile(c.File); !strings.HasSuffix(string(got), "  A: c # why\n") {
		t.Errorf("it says %s", got)
	}
}

func TestTakeSecrets(t *testing.T) {
	const before = "# of the shop\nexport PASSWORD='old one'\nURL=postgres://u:${PASSWORD}@db/x\n\nPLAIN=mock-value\n"
	root := takeProject(t, map[string]string{"config/dev.yaml": takeHead, "config/secrets/dev.env": before})
	c, err := Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := c.TakeSecrets(map[string]string{"PASSWORD": "new", "KEY": "a b", "PLAIN": "mock-value"})
	if err != nil || strings.Join(changed, " ") != "KEY PASSWORD" {
		t.Fatalf("got %v, %v", changed, err)
	}
	now, err := Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"PASSWORD": "new", "URL": "postgres://u:old one@db/x", "PLAIN": "mock-value", "KEY": "a b"}
	if !maps.Equal(now.Secrets, want) {
		t.Errorf("got %v, want %v", now.Secrets, want)
	}
	got, err := os.ReadFile(filepath.Join(root, c.SecretsFile()))
	if err != nil || !strings.HasPrefix(string(got), "# of the shop\n") || !strings.Contains(string(got), "\n\nPLAIN=mock-value\n") {
		t.Errorf("got %s, %v", got, err)
	}
}
