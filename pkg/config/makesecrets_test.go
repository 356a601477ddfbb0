package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const example = `# database
DB_USER=shop
DB_PASSWORD=mock-password
DB_URL=postgres://${DB_USER}:${DB_PASSWORD}@db/shop
`

// made makes the secrets of a project with the example.
func made(t *testing.T, root string, held map[string]string) (*Config, MadeSecrets) {
	t.Helper()
	c, err := Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.MakeSecrets(held)
	if err != nil {
		t.Fatal(err)
	}
	return c, m
}

func TestSecretsAreMadeOnce(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good, "config/secrets/dev.env.example": example})
	first, m := made(t, root, nil)
	if diff := cmp.Diff(MadeSecrets{File: "config/secrets/dev.env", New: []string{"DB_PASSWORD"}}, m); diff != "" {
		t.Error(diff)
	}
	password := first.Secrets["DB_PASSWORD"]
	if len(password) != secretLength || strings.Contains(password, "mock") {
		t.Errorf("the password %q is not a random one", password)
	}
	if got, want := first.Secrets["DB_URL"], "postgres://shop:"+password+"@db/shop"; got != want {
		t.Errorf("DB_URL = %q, want %q", got, want)
	}
	info, err := os.Stat(filepath.Join(root, "config/secrets/dev.env"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secrets file: %v, %v", info, err)
	}
	second, err := Load(root, "dev")
	if err != nil || second.SecretsMissing {
		t.Fatal(second, err)
	}
	if diff := cmp.Diff(first.Secrets, second.Secrets); diff != "" {
		t.Error("the second load has other secrets")
	}
	// Whoever comes second takes what is there.
	third, _ := made(t, root, nil)
	if diff := cmp.Diff(first.Secrets, third.Secrets); diff != "" {
		t.Error("a file that was there was written over")
	}
}

// TestHeldSecretsAreTakenOver makes the file of an environment that runs: with
// its values, in the lines of the example, and with new ones for new keys only.
func TestHeldSecretsAreTakenOver(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good, "config/secrets/dev.env.example": example + "NEW=mock-new\n"})
	held := map[string]string{"DB_USER": "shop", "DB_PASSWORD": "correct horse = battery", "DB_URL": "postgres://shop:correct horse = battery@db/shop", "OLD": "x"}
	c, m := made(t, root, held)
	if diff := cmp.Diff(MadeSecrets{File: "config/secrets/dev.env", Taken: []string{"DB_USER", "DB_PASSWORD", "DB_URL", "OLD"}, New: []string{"NEW"}}, m); diff != "" {
		t.Error(diff)
	}
	for key, want := range held {
		if c.Secrets[key] != want {
			t.Errorf("%s = %q", key, c.Secrets[key])
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "config/secrets/dev.env"))
	if err != nil || !strings.Contains(string(text), "postgres://${DB_USER}:${DB_PASSWORD}@db/shop\n") || !strings.HasPrefix(string(text), "# database\n") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestHeldSecretsWithoutAnExample(t *testing.T) {
	root := project(t, map[string]string{"config/dev.yaml": good})
	c, _ := made(t, root, map[string]string{"A": "1"})
	if c.Secrets["A"] != "1" || c.SecretsMissing {
		t.Errorf("%v", c.Secrets)
	}
}

// TestHeldSecretsComeBackAsTheyAre takes over values of every shape.
func TestHeldSecretsComeBackAsTheyAre(t *testing.T) {
	held := map[string]string{"DB_PASSWORD": "top\nsecret", "EMPTY": "", "DOLLAR": "a${B}c", "HASH": "a #b", "SINGLE": "it's", "DOUBLE": `"x"`,
		"ALL": "'\"\\n${A}\t\r\n #\\", "BLANKS": "  a ", "EQUALS": "a=b=="}
	root := project(t, map[string]string{"config/dev.yaml": good, "config/secrets/dev.env.example": example})
	c, _ := made(t, root, held)
	for key, want := range held {
		if got := c.Secrets[key]; got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
}
