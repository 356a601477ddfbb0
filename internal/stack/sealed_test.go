package stack

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"zr/internal/testkit"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/sealed"
)

const sealedFile = "config/secrets/dev.env.age"

// keyHere makes a key that this machine has, in the variable and nowhere else.
func keyHere(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for _, name := range []string{"ZR_AGE_KEY_FILE", "SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("ZR_AGE_KEY", key.String())
	return key
}

func sealFor(t *testing.T, key *age.X25519Identity, text string) string {
	t.Helper()
	to, err := sealed.ParseRecipients("the test", key.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	data, err := sealed.Seal([]byte(text), to)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// readingSecrets is a project whose pods read the secret A, on a cluster of others.
func readingSecrets(secrets map[string]string) map[string]string {
	files := testkit.Project(sharedConfig)
	files["kustomize/overlays/dev/all.yaml"] = readsSecrets
	for name, text := range secrets {
		files[name] = text
	}
	return files
}

// data is an entry of the Secret that is rendered.
func (p *project) data(t *testing.T, key string) string {
	t.Helper()
	for _, o := range p.rendered.Objects {
		if o.GetKind() == "Secret" && o.GetName() == "secrets" {
			data, _ := o.Object["data"].(map[string]any)
			text, _ := data[key].(string)
			plain, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			return string(plain)
		}
	}
	t.Fatal("there is no Secret")
	return ""
}

// The secrets of a sealed file are those of the run. Nothing of them is left in a file.
func TestASealedFileIsOpenedForARun(t *testing.T) {
	key := keyHere(t)
	s := stackOf(t, readingSecrets(map[string]string{sealedFile: sealFor(t, key, "A=correct-horse\n"), "config/secrets/dev.env.example": "A=mock-a\n"}))
	p, err := s.renderWithSecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := p.data(t, "A"); got != "correct-horse" {
		t.Errorf("the Secret has %q", got)
	}
	if at := findText(t, s.cfg.Root, "correct-horse"); at != "" {
		t.Errorf("%s has the secret", at)
	}
}

// findText returns a file below a folder that has a text.
func findText(t *testing.T, dir, text string) (at string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), text) {
			at = path
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestASealedFileThatNobodyHereOpens(t *testing.T) {
	key := keyHere(t)
	files := readingSecrets(map[string]string{sealedFile: sealFor(t, key, "A=correct-horse\n")})
	t.Setenv("ZR_AGE_KEY", "")
	s := stackOf(t, files)
	_, err := s.renderWithSecrets(t.Context())
	if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "opening "+sealedFile+": no key is here") || !strings.Contains(fault.HintOf(err), "ZR_AGE_KEY") {
		t.Errorf("of a run: %v (hint %q)", err, fault.HintOf(err))
	}
	if c := examined(t, s)["secrets"]; c.Status != "fail" || !strings.Contains(c.Detail, "no key is here") || !strings.Contains(c.Hint, "ZR_AGE_KEY") {
		t.Errorf("of the doctor: %+v", c)
	}
	if err := Validate(t.Context(), s.cfg, false); err != nil {
		t.Errorf("to validate asks for a key: %v", err)
	}
	t.Setenv("ZR_AGE_KEY", key.String())
	if c := examined(t, s)["secrets"]; c.Status != "ok" || !strings.Contains(c.Detail, sealedFile+" has 1") {
		t.Errorf("of the doctor, with the key: %+v", c)
	}
}

// What a sealed file has is judged as that of a plain one is.
func TestWhatIsInASealedFileIsChecked(t *testing.T) {
	key := keyHere(t)
	for text, want := range map[string]string{
		"A=mock-a\n":   sealedFile + " has the values of an example: A",
		"B=1\n":        `"A"`,
		"A=1\nnot it;": sealedFile + ":2:1: not a KEY=value line",
	} {
		_, err := stackOf(t, readingSecrets(map[string]string{sealedFile: sealFor(t, key, text)})).renderWithSecrets(t.Context())
		if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A running `zr dev` reads a sealed file anew when it changes, needs no key for one that
// has not, and writes nothing in its place when it has gone.
func TestASealedFileIsReadAnew(t *testing.T) {
	key := keyHere(t)
	s := stackOf(t, readingSecrets(map[string]string{sealedFile: sealFor(t, key, "A=one\n")}))
	file := filepath.Join(s.cfg.Root, sealedFile)
	s, err := s.unseal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZR_AGE_KEY", "")
	if s, err = s.reload(t.Context()); err != nil || s.cfg.Secrets["A"] != "one" {
		t.Fatalf("unchanged: %v", err)
	}
	testkit.WriteFile(t, file, sealFor(t, key, "A=two\n"))
	if _, err := s.reload(t.Context()); fault.Code(err) != fault.Usage {
		t.Errorf("changed, without the key: %v", err)
	}
	t.Setenv("ZR_AGE_KEY", key.String())
	if s, err = s.reload(t.Context()); err != nil || s.cfg.Secrets["A"] != "two" {
		t.Fatalf("changed: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := s.reload(t.Context()); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), sealedFile+" has gone") {
		t.Errorf("gone: %v", err)
	}
	if at := findText(t, s.cfg.Root, "two"); at != "" {
		t.Errorf("%s has the secret", at)
	}
}

// A save of a sealed file is one of the manifests, as of the plain one, and so is one that
// comes in its place.
func TestASavedSealedFileIsApplied(t *testing.T) {
	key := keyHere(t)
	s := stackOf(t, readingSecrets(map[string]string{sealedFile: sealFor(t, key, "A=1\n")}))
	p, err := s.renderWithSecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &reloading{Dev: newDev(s)}
	r.manifestsUnit(p)
	for _, name := range []string{sealedFile, "config/secrets/dev.env", "config/secrets/dev.sops.yaml"} {
		if got := r.manifests.Plan(filepath.Join(s.cfg.Root, name)); got.Action != event.Apply {
			t.Errorf("a save of %s: %+v", name, got)
		}
	}
	if got := r.manifests.Plan(filepath.Join(s.cfg.Root, "config/secrets/dev.recipients")); got.Action == event.Apply {
		t.Errorf("a save of what nothing is rendered from: %+v", got)
	}
}

// What a Secret of somebody else's has stays what a running `zr dev` has, which
// writes none of it into a file.
func TestWhatIsLentStaysForADev(t *testing.T) {
	s := stackOf(t, readingSecrets(map[string]string{"config/secrets/dev.env.example": "A=mock-a\n"})).withLent(map[string]string{"A": "correct-horse"})
	s, err := s.reload(t.Context())
	if err != nil || s.cfg.Secrets["A"] != "correct-horse" {
		t.Fatalf("it has %v, %v", s.cfg.SecretKeys(), err)
	}
	if p, err := s.render(t.Context()); err != nil || p.rendered.MakesSecrets() {
		t.Errorf("zr makes the Secret, or %v", err)
	}
	if at := findText(t, s.cfg.Root, "correct-horse"); at != "" {
		t.Errorf("%s has the secret", at)
	}
}

// What is rendered for others is the same for who has the key and who has none.
func TestManifestsOfASealedFile(t *testing.T) {
	key := keyHere(t)
	files := readingSecrets(map[string]string{sealedFile: sealFor(t, key, "A=correct-horse\n")})
	with, err := stackOf(t, files).Manifests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZR_AGE_KEY", "")
	files[sealedFile] = sealFor(t, key, "A=another\n")
	without, err := stackOf(t, files).Manifests(t.Context())
	if err != nil || string(without) != string(with) || strings.Contains(string(with), "kind: Secret") {
		t.Errorf("%v, %s\nand\n%s", err, with, without)
	}
}
