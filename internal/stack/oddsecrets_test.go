package stack

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/config"
	"zr/pkg/fault"
)

// odd are values that a line of a file, a shell or a reader of either may take for
// something else.
var odd = []string{
	"", "a=b=c", "=", "#", "#x", "a # b", "it's", `"q"`, "\"'mix`$A", "$HOME", "${FIRST}", "$", `\$`, `\n`, `back\slash\`, "line1\nline2",
	"\ttab ", "  lead", "ünï😀", "cr\rlf\r\n", "end\n\n", "'", `\"`, "export A=1", "# a\n# b", "a\n=b\nFIRST=evil", "\x01\x02", "a'b\"c\nd#e\\", "AGE-SECRET-KEY-1", "mock-x",
	strings.Repeat("0123456789abcde\n", 4096),
}

// Each value comes back as it was set, in a file of any lines, and none is told.
func TestOddSecrets(t *testing.T) {
	for name, file := range map[string]string{"plain": "FIRST=x\n", "of Windows": "# ours\r\nFIRST=x\r\n", "without an end": "FIRST='x'"} {
		t.Run(name, func(t *testing.T) {
			key, second := keyHere(t), keyHere(t)
			root := sealing(t, map[string]string{"config/secrets/dev.env": file})
			if _, err := SealSecrets(t.Context(), root, "dev", []string{key.Recipient().String(), second.Recipient().String()}); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"FIRST": "x"}
			for i, value := range odd {
				for _, name := range []string{fmt.Sprintf("V%d", i), "AGAIN"} { // a new line, and one that is there
					if done, err := SetSecret(t.Context(), root, "dev", name, value); err != nil || done.Recipients != 2 {
						t.Fatalf("%q: %+v, %v", value, done, err)
					}
					want[name] = value
				}
			}
			for _, own := range []string{key.String(), second.String()} {
				t.Setenv("ZR_AGE_KEY", own)
				if got := secretsIn(t, root); !maps.Equal(got, want) {
					t.Errorf("it has %q", got)
				}
			}
			if _, err := UnsealSecrets(t.Context(), root, "dev"); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(root, "config/secrets/dev.env"))
			if err != nil || strings.Contains(string(text), "The environment runs with it") {
				t.Errorf("what was set is no value that an environment runs with: %v", err)
			}
			if windows := strings.Count(string(text), "\r\n"); windows != 0 && windows != strings.Count(string(text), "\n") {
				t.Errorf("lines end in two ways: %q", text[:100])
			}
			if _, err := SealSecrets(t.Context(), root, "dev", nil); err != nil {
				t.Fatal(err)
			}
			if got := secretsIn(t, root); !maps.Equal(got, want) {
				t.Errorf("sealed again, it has %q", got)
			}
		})
	}
}

// Of many that set a value at once, each is there in the end.
func TestSecretsThatAreSetAtOnce(t *testing.T) {
	key := keyHere(t)
	root := sealing(t, map[string]string{"config/secrets/dev.recipients": key.Recipient().String() + "\n"})
	var all sync.WaitGroup
	want := map[string]string{}
	for i := range 20 {
		name := fmt.Sprintf("V%d", i)
		want[name] = name
		all.Go(func() {
			if _, err := SetSecret(t.Context(), root, "dev", name, name); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := secretsIn(t, root); !maps.Equal(got, want) {
		t.Errorf("it has %q", got)
	}
}

// What is refused leaves the sealed file as it was, and no message has the value.
func TestRefusedSecretsAreNotTold(t *testing.T) {
	const value = "correct-horse-battery"
	for name, c := range map[string]struct {
		spoil func(t *testing.T, root, file string)
		key   string
		want  string
	}{
		"a key with its value": {nil, "API_TOKEN=" + value, `"API_TOKEN" comes without its value`},
		"no key":               {nil, "no key", `"no key" cannot be a key`},
		"another key": {func(t *testing.T, _, _ string) { keyHere(t) }, "A",
			"none of the keys that are here opens it"},
		"no key at all": {func(t *testing.T, _, _ string) { t.Setenv("ZR_AGE_KEY", "") }, "A", "no key is here to open it"},
		"a damaged file": {func(t *testing.T, _, file string) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			testkit.WriteFile(t, file, string(text[:len(text)/2])+"A"+string(text[len(text)/2:]))
		}, "A", "it was changed or cut since it was sealed"},
		"an empty file": {func(t *testing.T, _, file string) { testkit.WriteFile(t, file, "") }, "A", "it is no file of age"},
		"recipients without the one here": {func(t *testing.T, root, _ string) {
			mine := os.Getenv("ZR_AGE_KEY")
			other := keyHere(t).Recipient().String()
			t.Setenv("ZR_AGE_KEY", mine)
			testkit.WriteFile(t, filepath.Join(root, "config/secrets/dev.recipients"), other+"\n")
		}, "A", "nothing was written, since nobody here could open it again"},
		"a private key among the recipients": {func(t *testing.T, root, _ string) {
			testkit.WriteFile(t, filepath.Join(root, "config/secrets/dev.recipients"), os.Getenv("ZR_AGE_KEY")+"\n")
		}, "A", "line 1 of config/secrets/dev.recipients is no public key: it is a private key"},
	} {
		t.Run(name, func(t *testing.T) {
			key := keyHere(t)
			root := sealing(t, map[string]string{"config/secrets/dev.env": "OLD=" + value + "-old\n"})
			if _, err := SealSecrets(t.Context(), root, "dev", []string{key.Recipient().String()}); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(root, sealedFile)
			if c.spoil != nil {
				c.spoil(t, root, file)
			}
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = SetSecret(t.Context(), root, "dev", c.key, value)
			if said := fmt.Sprint(err, fault.HintOf(err)); fault.Code(err) != fault.Usage || !strings.Contains(said, c.want) || strings.Contains(said, value) || strings.Contains(said, key.String()) {
				t.Errorf("got %s", said)
			}
			if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

// A hint names the environment that it is about.
func TestHintsOfSealingNameTheEnvironment(t *testing.T) {
	keyHere(t)
	root := sealing(t, map[string]string{"config/secrets/prod.env": "A=1\n"})
	testkit.WriteFile(t, filepath.Join(root, "config/prod.yaml"), sharedConfig)
	_, err := SetSecret(t.Context(), root, "prod", "A", "2")
	if hint := fault.HintOf(err); !strings.HasSuffix(hint, "`zr secrets -C "+root+" -e prod seal`") {
		t.Errorf("got %q", hint)
	}
	if _, err := config.PlaceOf(root, "prod"); err != nil {
		t.Error(err)
	}
}

// A key is not put into a file that others may read.
func TestAKeyIsForItsUserAlone(t *testing.T) {
	keyHere(t)
	t.Setenv("ZR_AGE_KEY", "")
	file := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "sops/age/keys.txt")
	testkit.WriteFile(t, file, "# keys\n")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OwnKey(); err == nil || !strings.Contains(err.Error(), "others may read "+file) || fault.HintOf(err) != "chmod 600 "+file {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "# keys\n" {
		t.Errorf("it has %q, %v", text, err)
	}
}
