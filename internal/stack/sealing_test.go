package stack

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/config"
	"zr/pkg/fault"
)

// sealing is a project with files, which nobody has opened.
func sealing(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "config/dev.yaml"), sharedConfig)
	for path, text := range files {
		testkit.WriteFile(t, filepath.Join(root, path), text)
		if err := os.Chmod(filepath.Join(root, path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// secretsIn are those that a run in a folder has.
func secretsIn(t *testing.T, root string) map[string]string {
	t.Helper()
	cfg, err := config.Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	s, err := (&Stack{cfg: cfg}).unseal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.cfg.Secrets
}

// A plain file is sealed, changed, opened to be edited, and sealed again. What is plain
// is there only where somebody has asked for it, and runs say so.
func TestSealing(t *testing.T) {
	key := keyHere(t)
	own, err := OwnKey()
	if err != nil || own.Recipient != key.Recipient().String() || own.File != "" {
		t.Fatalf("the key that is here is %+v, %v", own, err)
	}
	root := sealing(t, map[string]string{"config/secrets/dev.env": "# of the team\nA=correct-horse\nB=2\n"})
	done, err := SealSecrets(t.Context(), root, "dev", []string{own.Recipient, own.Recipient})
	if want := (Sealing{File: sealedFile, Recipients: 1, Removed: "config/secrets/dev.env"}); err != nil || done != want {
		t.Fatalf("got %+v, %v", done, err)
	}
	if at := findText(t, root, "correct-horse"); at != "" {
		t.Errorf("%s has the secret in clear", at)
	}
	if got := secretsIn(t, root); got["A"] != "correct-horse" || got["B"] != "2" {
		t.Errorf("sealed, it has %v", got)
	}
	if _, err := SetSecret(t.Context(), root, "dev", "A", "with a # and\nlines"); err != nil {
		t.Fatal(err)
	}
	if _, err := SetSecret(t.Context(), root, "dev", "NEW", "n"); err != nil {
		t.Fatal(err)
	}
	if got := secretsIn(t, root); got["A"] != "with a # and\nlines" || got["B"] != "2" || got["NEW"] != "n" {
		t.Errorf("changed, it has %v", got)
	}

	if done, err = UnsealSecrets(t.Context(), root, "dev"); err != nil || done.File != "config/secrets/dev.env" {
		t.Fatalf("got %+v, %v", done, err)
	}
	plain := filepath.Join(root, "config/secrets/dev.env")
	text, err := os.ReadFile(plain)
	if info, _ := os.Stat(plain); err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(string(text), "# of the team\n") {
		t.Errorf("the plain file: %v, %v\n%s", info, err, text)
	}
	if _, err := config.Load(root, "dev"); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "the secrets are in "+sealedFile+" as well") {
		t.Errorf("with both files: %v", err)
	}
	if _, err := UnsealSecrets(t.Context(), root, "dev"); fault.Code(err) != fault.Usage {
		t.Errorf("over a plain file: %v", err)
	}
	if _, err := SetSecret(t.Context(), root, "dev", "B", "3"); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "config/secrets/dev.env is not sealed") {
		t.Errorf("beside a plain file: %v", err)
	}
	testkit.WriteFile(t, plain, "A=anew\n")
	if _, err := SealSecrets(t.Context(), root, "dev", nil); err != nil {
		t.Fatal(err)
	}
	if got := secretsIn(t, root); len(got) != 1 || got["A"] != "anew" {
		t.Errorf("sealed again, it has %v", got)
	}
}

// Somebody who comes is added, and can open the file that was there.
func TestSealingForMore(t *testing.T) {
	first := keyHere(t)
	root := sealing(t, map[string]string{"config/secrets/dev.env": "A=1\n"})
	if _, err := SealSecrets(t.Context(), root, "dev", []string{first.Recipient().String()}); err != nil {
		t.Fatal(err)
	}
	second := keyHere(t)
	if _, err := SealSecrets(t.Context(), root, "dev", []string{second.Recipient().String()}); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "opening "+sealedFile) {
		t.Errorf("by who cannot open it: %v", err)
	}
	t.Setenv("ZR_AGE_KEY", first.String())
	if done, err := SealSecrets(t.Context(), root, "dev", []string{second.Recipient().String()}); err != nil || done.Recipients != 2 || done.Removed != "" {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, key := range []string{first.String(), second.String()} {
		t.Setenv("ZR_AGE_KEY", key)
		if got := secretsIn(t, root); got["A"] != "1" {
			t.Errorf("got %v", got)
		}
	}
}

// What would be lost is not sealed, and nothing is written then.
func TestWhatIsNotSealed(t *testing.T) {
	keyHere(t)
	other := keyHere(t).Recipient().String()
	keyHere(t)
	for what, c := range map[string]struct {
		files map[string]string
		to    []string
		want  string
	}{
		"for nobody":          {map[string]string{"config/secrets/dev.env": "A=1\n"}, nil, "nobody is named to seal for: config/secrets/dev.recipients does not exist"},
		"for others alone":    {map[string]string{"config/secrets/dev.env": "A=1\n"}, []string{other}, "nobody here could open it again"},
		"for a private key":   {map[string]string{"config/secrets/dev.env": "A=1\n"}, []string{"AGE-SECRET-KEY-1QQQ"}, "it is a private key"},
		"nothing":             {nil, []string{other}, "there is nothing to seal: config/secrets/dev.env does not exist"},
		"what cannot be read": {map[string]string{"config/secrets/dev.env": "A=1\nnonsense\n"}, []string{other}, "config/secrets/dev.env:2:1: not a KEY=value line"},
		"of no environment":   {map[string]string{"config/secrets/dev.env": "A=1\n"}, nil, ""},
	} {
		root, env := sealing(t, c.files), "dev"
		if c.want == "" {
			env, c.want = "prod", `no environment "prod"`
		}
		before := listing(t, root)
		_, err := SealSecrets(t.Context(), root, env, c.to)
		if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "A=1") {
			t.Errorf("%s: %v", what, err)
		}
		if after := listing(t, root); after != before {
			t.Errorf("%s: the files are\n%s\nand were\n%s", what, after, before)
		}
	}
}

// What a first value is refused with is a line that a shell takes, wherever it is typed.
func TestTheLineThatNamesARecipient(t *testing.T) {
	bin := t.TempDir()
	testkit.WriteFile(t, filepath.Join(bin, "zr"), "#!/bin/sh\necho "+keyHere(t).Recipient().String()+"\n")
	if err := os.Chmod(filepath.Join(bin, "zr"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ folder, file string }{
		"the project":           {".", "config/secrets/dev.recipients"},
		"without their folder":  {".", ""},
		"a folder of it":        {"it's a service/src", "config/secrets/readme"},
		"that, without theirs":  {"it's a service/src", ""},
		"the folder of secrets": {"config/secrets", "config/secrets/readme"},
		"another place":         {"..", ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "an own project")
			testkit.WriteFile(t, filepath.Join(root, "config/dev.yaml"), sharedConfig)
			testkit.WriteFile(t, filepath.Join(root, "it's a service/src/main.go"), "package main\n")
			if tt.file != "" {
				testkit.WriteFile(t, filepath.Join(root, tt.file), "")
			}
			t.Chdir(filepath.Join(root, tt.folder))
			_, err := SetSecret(t.Context(), root, "dev", "A", "correct-horse")
			words := strings.Split(fault.HintOf(err), "`")
			if len(words) != 3 {
				t.Fatalf("the hint is %q", words)
			}
			typed := exec.CommandContext(t.Context(), "sh", "-c", words[1])
			typed.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
			if said, err := typed.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", words[1], err, said)
			}
			if done, err := SetSecret(t.Context(), root, "dev", "A", "correct-horse"); err != nil || done.Recipients != 1 {
				t.Errorf("after %s: %+v, %v", words[1], done, err)
			}
		})
	}
}

func listing(t *testing.T, root string) string {
	t.Helper()
	var names []string
	if err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}

// A key is made once, for its user alone, and found again.
func TestAKeyIsMadeOnce(t *testing.T) {
	keyHere(t)
	t.Setenv("ZR_AGE_KEY", "")
	own, err := OwnKey()
	if err != nil || !strings.HasPrefix(own.Recipient, "age1") || !strings.HasSuffix(own.File, "/sops/age/keys.txt") {
		t.Fatalf("%+v, %v", own, err)
	}
	if info, err := os.Stat(own.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	again, err := OwnKey()
	if err != nil || again.Recipient != own.Recipient || again.File != "" {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	root := sealing(t, map[string]string{"config/secrets/dev.env": "A=1\n"})
	if _, err := SealSecrets(t.Context(), root, "dev", []string{own.Recipient}); err != nil {
		t.Fatal(err)
	}
	if got := secretsIn(t, root); got["A"] != "1" {
		t.Errorf("it opens %v", got)
	}
}

// What was changed in the cluster is taken over into the sealed file.
func TestTakingSecretsOverIntoASealedFile(t *testing.T) {
	key := keyHere(t)
	root := sealing(t, map[string]string{"config/secrets/dev.env": "A=1\nB=2\n"})
	if _, err := SealSecrets(t.Context(), root, "dev", []string{key.Recipient().String()}); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := (&Stack{cfg: cfg}).takeSecrets(t.Context())(map[string]string{"A": "1", "B": "3", "C": "4"})
	if err != nil || strings.Join(changed, ",") != "B,C" {
		t.Fatalf("%v, %v", changed, err)
	}
	if got := secretsIn(t, root); got["A"] != "1" || got["B"] != "3" || got["C"] != "4" {
		t.Errorf("it has %v", got)
	}
}
