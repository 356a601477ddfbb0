package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/fault"
	"zr/pkg/sealed"
)

// Sealing is what was done to an environment's file of secrets.
type Sealing struct {
	File       string `json:"file"`              // that was written, relative to the project's folder
	Recipients int    `json:"recipients"`        // whose keys open it
	Removed    string `json:"removed,omitempty"` // the plain file that it took the place of
	Ignored    string `json:"ignored,omitempty"` // the ignore file that was written, so that git does not take a plain one
}

// OwnKey returns the public key of this machine's own key, which it makes where there is
// none.
func OwnKey() (sealed.Own, error) { return sealed.OwnKey() }

// place is where the secrets of an environment are.
type place struct {
	config.Place
	lines cmdline.Run
}

// zr is the line of a verb of `zr secrets` about the environment, as a text shows it.
func (p place) zr(verb string) string { return "`" + p.lines.Zr("secrets", verb) + "`" }

// joining is the line with which who runs it here becomes a recipient, as a text shows it.
func (p place) joining() string {
	file := p.Recipients
	if here, err := os.Getwd(); err == nil {
		if below, err := filepath.Rel(here, file); err == nil && filepath.IsLocal(below) {
			file = below
		}
	}
	line := cmdline.Line("zr", "secrets", "keygen") + " >> " + cmdline.Line(file)
	if _, err := os.Stat(filepath.Dir(p.Recipients)); errors.Is(err, os.ErrNotExist) {
		line = cmdline.Line("mkdir", "-p", filepath.Dir(file)) + " && " + line
	}
	return "`" + line + "`"
}

// placeOf is where the secrets of an environment are, for this process alone until unlock
// is called: of two that change the file at once, none would have what the other wrote.
func placeOf(ctx context.Context, root, env string) (at place, unlock func(), err error) {
	if at.Place, err = config.PlaceOf(root, env); err != nil {
		return at, nil, err
	}
	at.lines = LinesAt(root, env)
	f, err := os.Open(filepath.Join(root, "config")) // which is there, and keeps no trace of it
	if err != nil {
		return at, nil, fmt.Errorf("locking the secrets of %q: %w", env, err)
	}
	for {
		switch err = lockFile(f); {
		case err == nil:
			return at, func() { f.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return at, nil, fmt.Errorf("locking the secrets of %q: %w", env, err)
		}
		if pause(ctx, lockInterval); ctx.Err() != nil {
			f.Close()
			return at, nil, context.Cause(ctx)
		}
	}
}

// SealSecrets puts the sealed file in the place of the plain one, for the public keys of
// the file of recipients, to which those of to are added. Without a plain file the sealed
// one is sealed anew. What nobody here could open again is not written.
func SealSecrets(ctx context.Context, root, env string, to []string) (Sealing, error) {
	at, unlock, err := placeOf(ctx, root, env)
	if err != nil {
		return Sealing{}, err
	}
	defer unlock()
	text, err := config.ReadText(at.Plain)
	removed, from := at.Name(at.Plain), at.Plain
	if text == nil && err == nil {
		removed, from = "", at.Sealed
		text, err = openAt(ctx, at)
	}
	if errors.Is(err, os.ErrNotExist) {
		err = fault.WithCode(fmt.Errorf("there is nothing to seal: %s does not exist", at.Name(at.Plain)), fault.Usage, "write KEY=value lines into it")
	}
	if err != nil {
		return Sealing{}, err
	}
	if err := at.Check(from, text); err != nil {
		return Sealing{}, err
	}
	done, err := sealAt(ctx, at, text, to)
	if err != nil || removed == "" {
		return done, err
	}
	done.Removed = removed
	return done, os.Remove(at.Plain)
}

// SetSecret sets one value in the sealed file, which it makes where there is none. The
// text is in memory alone.
func SetSecret(ctx context.Context, root, env, key, value string) (Sealing, error) {
	at, unlock, err := placeOf(ctx, root, env)
	if err != nil {
		return Sealing{}, err
	}
	defer unlock()
	if plain, err := config.ReadText(at.Plain); plain != nil || err != nil {
		return Sealing{}, fault.WithCode(fmt.Errorf("%s is not sealed", at.Name(at.Plain)), fault.Usage, "write into it, or seal it first: "+at.zr("seal"))
	}
	text, err := openAt(ctx, at)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Sealing{}, err
	}
	return changeAt(ctx, at, text, map[string]string{key: value})
}

// changeAt seals a text with other values of some keys.
func changeAt(ctx context.Context, at place, text []byte, values map[string]string) (Sealing, error) {
	edited, _, err := config.WithSecrets(at.Name(at.Sealed), text, values)
	if err != nil {
		return Sealing{}, fault.WithCode(fmt.Errorf("changing %s: %w", at.Name(at.Sealed), err), fault.Usage, cmp.Or(fault.HintOf(err), at.zr("unseal")+", edit the plain file, "+at.zr("seal")))
	}
	return sealAt(ctx, at, edited, nil)
}

// UnsealSecrets writes what is sealed into the plain file, which no run takes as long as
// the sealed one is there.
func UnsealSecrets(ctx context.Context, root, env string) (Sealing, error) {
	at, unlock, err := placeOf(ctx, root, env)
	if err != nil {
		return Sealing{}, err
	}
	defer unlock()
	if plain, err := config.ReadText(at.Plain); plain != nil || err != nil {
		return Sealing{}, fault.WithCode(fmt.Errorf("%s is there already", at.Name(at.Plain)), fault.Usage, at.zr("seal")+" seals it")
	}
	text, err := openAt(ctx, at)
	if errors.Is(err, os.ErrNotExist) {
		err = fault.WithCode(fmt.Errorf("there is nothing to open: %s does not exist", at.Name(at.Sealed)), fault.Usage, at.zr("seal")+" makes it of the plain file")
	}
	if err != nil {
		return Sealing{}, err
	}
	wrote, err := at.Ignore()
	if err != nil {
		return Sealing{}, err
	}
	if err := config.WriteWhole(at.Plain, text, 0o600); err != nil {
		return Sealing{}, fmt.Errorf("writing %s: %w", at.Name(at.Plain), err)
	}
	return Sealing{File: at.Name(at.Plain), Ignored: wrote}, nil
}

// openAt opens the sealed file. The error is an os.ErrNotExist where there is none.
func openAt(ctx context.Context, at place) ([]byte, error) {
	data, err := sealed.Read(at.Sealed)
	if err != nil {
		return nil, err
	}
	return sealed.Open(ctx, at.Sealed, at.Name(at.Sealed), data)
}

// sealAt seals a text for the recipients of the environment and of to.
func sealAt(ctx context.Context, at place, text []byte, to []string) (Sealing, error) {
	said, err := config.ReadText(at.Recipients)
	if err != nil {
		return Sealing{}, err
	}
	lines := string(said)
	if lines != "" && !strings.HasSuffix(lines, "\n") {
		lines += "\n"
	}
	for _, recipient := range to {
		if recipient = strings.TrimSpace(recipient); !strings.Contains("\n"+lines, "\n"+recipient+"\n") {
			lines += recipient + "\n"
		}
	}
	if lines == "" {
		return Sealing{}, fault.WithCode(fmt.Errorf("nobody is named to seal for: %s does not exist", at.Name(at.Recipients)), fault.Usage,
			at.joining()+" names you there; others add their public keys, one on a line")
	}
	recipients, err := sealed.ParseRecipients(at.Name(at.Recipients), lines)
	if err != nil {
		return Sealing{}, err
	}
	data, err := sealed.Seal(text, recipients)
	if err != nil {
		return Sealing{}, err
	}
	if _, err := sealed.Open(ctx, at.Sealed, at.Name(at.Sealed), data); err != nil {
		return Sealing{}, fault.WithCode(fmt.Errorf("nothing was written, since nobody here could open it again: %w", err), fault.Usage,
			at.joining()+" has it sealed for you, too")
	}
	if lines != string(said) {
		if err := config.WriteWhole(at.Recipients, []byte(lines), 0o644); err != nil {
			return Sealing{}, fmt.Errorf("writing %s: %w", at.Name(at.Recipients), err)
		}
	}
	if err := config.WriteWhole(at.Sealed, data, 0o644); err != nil {
		return Sealing{}, fmt.Errorf("writing %s: %w", at.Name(at.Sealed), err)
	}
	return Sealing{File: at.Name(at.Sealed), Recipients: len(recipients)}, nil
}

// takeSecrets writes values that the environment runs with into its file of secrets, and
// returns the keys that differed.
func (s *Stack) takeSecrets(ctx context.Context) func(held map[string]string) ([]string, error) {
	if s.cfg.Sealed == "" {
		return s.cfg.TakeSecrets
	}
	return func(held map[string]string) ([]string, error) { // PlaceOf refuses a file of sops
		at, unlock, err := placeOf(ctx, s.cfg.Root, s.cfg.Env)
		if err != nil {
			return nil, err
		}
		defer unlock()
		text, err := openAt(ctx, at)
		if err != nil {
			return nil, err
		}
		_, changed, err := config.WithSecrets(at.Name(at.Sealed), text, held)
		if err == nil && len(changed) > 0 {
			_, err = changeAt(ctx, at, text, held)
		}
		return changed, err
	}
}
