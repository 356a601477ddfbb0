package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"

	"zr/pkg/fault"
)

// Recipients are public keys: of those who can open what is sealed for them.
type Recipients []age.Recipient

// ParseRecipients reads public keys as age does: one on a line, of age or of SSH, with
// comments that begin with "#". name is what errors call the text.
func ParseRecipients(name, text string) (Recipients, error) {
	var all Recipients
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "ssh-") {
			recipient, err := agessh.ParseRecipient(line)
			if err != nil {
				return nil, notPublic(name, i+1, err)
			}
			all = append(all, recipient)
			continue
		}
		recipients, err := age.ParseRecipients(strings.NewReader(line))
		if err != nil {
			const private = "AGE-SECRET-KEY-"
			if strings.HasPrefix(line, private) {
				err = errors.New("it is a private key")
			}
			return nil, notPublic(name, i+1, err)
		}
		all = append(all, recipients...)
	}
	if len(all) == 0 {
		return nil, fault.WithCode(fmt.Errorf("%s names nobody", name), fault.Usage, "a public key begins with age1 or ssh-; `zr secrets keygen` makes one")
	}
	return all, nil
}

func notPublic(name string, line int, err error) error {
	return fault.WithCode(fmt.Errorf("line %d of %s is no public key: %w", line, name, err), fault.Usage, "a public key begins with age1 or ssh-; `zr secrets keygen` tells yours")
}

// Seal returns text as a file of age, in letters, that each of the recipients opens.
func Seal(text []byte, to Recipients) ([]byte, error) {
	var out bytes.Buffer
	letters := armor.NewWriter(&out)
	in, err := age.Encrypt(letters, to...)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	_, err = in.Write(text)
	if err := errors.Join(err, in.Close(), letters.Close()); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return out.Bytes(), nil
}
