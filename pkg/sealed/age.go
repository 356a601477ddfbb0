// Package sealed opens files of secrets that only who has a key can read, and makes them.
// What was in them is in memory alone: it is written nowhere, and no error has any of it.
package sealed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"
	"filippo.io/age/armor"

	"zr/pkg/bounded"
	"zr/pkg/fault"
)

// ageIntro is what a file of age begins with, where it is not in letters (armored).
const ageIntro = "age-encryption.org/"

// openAge returns what a file of age holds, which may be in letters.
func openAge(data []byte) ([]byte, error) {
	var in io.Reader = bytes.NewReader(data)
	if start := bytes.TrimLeft(data, " \t\r\n"); bytes.HasPrefix(start, []byte(armor.Header)) {
		in = armor.NewReader(bufio.NewReader(in))
	} else if !bytes.HasPrefix(data, []byte(ageIntro)) {
		return nil, fault.Hint(errors.New("it is no file of age"), "`zr secrets seal` makes one of the plain file")
	}
	k, err := readKeys()
	if err != nil {
		return nil, err
	}
	if len(k.identities) == 0 {
		return nil, k.missing()
	}
	plain, err := age.Decrypt(in, k.identities...)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		if slices.Contains(none.StanzaTypes, "scrypt") {
			return nil, fault.Hint(errors.New("it is sealed with a passphrase, which no run can ask for"), "seal it for the keys of those who use it")
		}
		return nil, k.missing()
	}
	if err != nil {
		return nil, changed(err)
	}
	text, err := io.ReadAll(io.LimitReader(plain, bounded.Text+1))
	if err != nil {
		return nil, changed(err)
	}
	if len(text) > bounded.Text {
		return nil, fmt.Errorf("what is in it is %w: more than %d MiB", bounded.ErrTooLarge, bounded.Text>>20)
	}
	return text, nil
}

// changed says that a file is not what was sealed. age tells of the file alone, and not
// of what is in it.
func changed(err error) error {
	return fault.Hint(fmt.Errorf("it was changed or cut since it was sealed: %w", err), "take it back from git, or seal it anew")
}
