package sealed_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"zr/pkg/fault"
	"zr/pkg/sealed"
)

const (
	name  = "config/secrets/staging.env.age"
	value = "correct-horse-battery"
	text  = "PASSWORD=" + value + "\n"
)

// noKeys is a machine without any.
func noKeys(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	for _, name := range []string{"ZR_AGE_KEY", "ZR_AGE_KEY_FILE", "SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE"} {
		t.Setenv(name, "")
	}
	return filepath.Join(dir, "sops", "age", "keys.txt")
}

func newKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sealFor(t *testing.T, recipients ...string) []byte {
	t.Helper()
	to, err := sealed.ParseRecipients("the test", strings.Join(recipients, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := sealed.Seal([]byte(text), to)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(t *testing.T, data []byte) (string, error) {
	t.Helper()
	got, err := sealed.Open(t.Context(), name, name, data)
	if err != nil && strings.Contains(err.Error()+fault.HintOf(err), value) {
		t.Errorf("the error has the secret: %v (%s)", err, fault.HintOf(err))
	}
	return string(got), err
}

// Each place of a key opens the file, also beside others that do not, and each of the
// recipients does.
func TestAKeyOfEachPlaceOpens(t *testing.T) {
	one, two, other := newKey(t), newKey(t), newKey(t)
	data := sealFor(t, "# of the team", one.Recipient().String(), "", two.Recipient().String())
	for _, key := range []*age.X25519Identity{one, two} {
		for _, place := range []string{"ZR_AGE_KEY", "ZR_AGE_KEY_FILE", "SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", ""} {
			file := noKeys(t)
			t.Setenv("ZR_AGE_KEY", other.String())
			said := "# created by age-keygen\n" + other.String() + "\nAGE-PLUGIN-YUBIKEY-1QQQQ\n" + key.String() + "\n"
			switch {
			case place == "":
				write(t, file, said)
			case strings.HasSuffix(place, "_FILE"):
				named := filepath.Join(t.TempDir(), "key")
				write(t, named, said)
				t.Setenv(place, named)
			default:
				t.Setenv(place, said)
			}
			if got, err := open(t, data); err != nil || got != text {
				t.Errorf("by %q: %q, %v", place, got, err)
			}
		}
	}
}

// age's own file is binary; a key of SSH is one, too.
func TestABinaryFileAndAKeyOfSSH(t *testing.T) {
	noKeys(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sshPublic, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZR_AGE_KEY", string(pem.EncodeToMemory(block)))
	if got, err := open(t, sealFor(t, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPublic))))); err != nil || got != text {
		t.Errorf("by a key of SSH: %q, %v", got, err)
	}
	if block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("pass")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZR_AGE_KEY", string(pem.EncodeToMemory(block)))
	if _, err := open(t, sealFor(t, newKey(t).Recipient().String())); err == nil || !strings.Contains(fault.HintOf(err), "without a passphrase") {
		t.Errorf("by a key with a passphrase: %v", err)
	}

	key := newKey(t)
	t.Setenv("ZR_AGE_KEY", key.String())
	if got, err := open(t, binary(t, text, key.Recipient())); err != nil || got != text {
		t.Errorf("of a binary file: %q, %v", got, err)
	}
}

func binary(t *testing.T, text string, to age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What does not open says which file, why, and what to do; nobody's key and no secret.
func TestWhatDoesNotOpen(t *testing.T) {
	key, other := newKey(t), newKey(t)
	whole := binary(t, text, key.Recipient())
	passphrase, err := age.NewScryptRecipient("pass")
	if err != nil {
		t.Fatal(err)
	}
	passphrase.SetWorkFactor(2)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	header := bytes.Replace(whole, []byte("\n--- "), []byte("\n--- A"), 1)
	wrong := other.String()[:len(other.String())-1] + "!"
	for what, c := range map[string]struct {
		data       []byte
		keys       string // in the file of keys
		said, hint string
	}{
		"no key":             {whole, "", "no key is here to open it", "ZR_AGE_KEY"},
		"another key":        {whole, other.String(), "none of the keys that are here opens it: 1 of ", "zr secrets keygen"},
		"a key of a plugin":  {whole, "AGE-PLUGIN-YUBIKEY-1QQQQ", "keys of plugins are not tried", "ZR_AGE_KEY"},
		"a key with a typo":  {whole, "# mine\n" + wrong, "line 2 of ", "AGE-SECRET-KEY-"},
		"a changed text":     {flipped, key.String(), "it was changed or cut since it was sealed", "git"},
		"a changed header":   {header, key.String(), "it was changed or cut since it was sealed", "git"},
		"a cut file":         {whole[:len(whole)-20], key.String(), "it was changed or cut since it was sealed", "git"},
		"a cut armored file": {sealFor(t, key.Recipient().String())[:120], key.String(), "it was changed or cut since it was sealed", "git"},
		"a plain file":       {[]byte(text), key.String(), "it is no file of age", "zr secrets seal"},
		"an empty file":      {nil, key.String(), "it is no file of age", "zr secrets seal"},
		"a passphrase":       {binary(t, text, passphrase), key.String(), "it is sealed with a passphrase", "keys"},
		"too much":           {binary(t, strings.Repeat("A", 1<<20+1), key.Recipient()), key.String(), "too large", ""},
	} {
		file := noKeys(t)
		if c.keys != "" {
			write(t, file, c.keys)
		}
		got, err := open(t, c.data)
		if err == nil || got != "" || fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "opening "+name+": ") || !strings.Contains(err.Error(), c.said) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: %v (hint %q, code %d)", what, err, fault.HintOf(err), fault.Code(err))
		}
		if err != nil && (strings.Contains(err.Error(), key.String()) || strings.Contains(err.Error(), wrong[20:])) {
			t.Errorf("%s: the error has a key: %v", what, err)
		}
	}
}

// A file that a variable names and that is not there is no key that is missing.
func TestAKeyFileThatIsNotThere(t *testing.T) {
	noKeys(t)
	t.Setenv("ZR_AGE_KEY_FILE", "/nowhere/key.txt")
	_, err := open(t, sealFor(t, newKey(t).Recipient().String()))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "ZR_AGE_KEY_FILE") || fault.Code(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
}

func TestACancelledOpening(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sealed.Open(ctx, name, name, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Who is sealed for is told by line, and a private key among them is not shown.
func TestRecipients(t *testing.T) {
	key := newKey(t)
	for text, want := range map[string]string{
		"# nobody\n":                 "r.txt names nobody",
		"age1qqqq":                   "line 1 of r.txt is no public key",
		"\nssh-ed25519 nonsense":     "line 2 of r.txt is no public key",
		"# oops\n\n" + key.String():  "line 3 of r.txt is no public key: it is a private key",
		key.Recipient().String()[1:]: "line 1 of r.txt is no public key",
	} {
		_, err := sealed.ParseRecipients("r.txt", text)
		if err == nil || !strings.Contains(err.Error(), want) || fault.Code(err) != fault.Usage || strings.Contains(err.Error(), key.String()) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
