package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"zr/internal/stack"
	"zr/internal/ui"
	"zr/pkg/bounded"
	"zr/pkg/config"
	"zr/pkg/ctxcall"
	"zr/pkg/fault"
)

func secretsCommand() *cli.Command {
	return &cli.Command{
		Name:        "secrets",
		Usage:       "seal an environment's secrets, so that their file can be committed",
		Description: "EXAMPLES:\n   zr secrets seal --env staging --to $(zr secrets keygen)\n   zr secrets set --env staging API_TOKEN < token",
		Flags:       secretsFlags(),
		Subcommands: []*cli.Command{
			{
				Name:  "keygen",
				Usage: "print your public key, of a key that is made where there is none",
				Description: `The private key is in the file where sops and zr look for it. It is not printed.

EXAMPLE:
   zr secrets keygen >> config/secrets/staging.recipients`,
				Flags:  []cli.Flag{outputFlag()},
				Action: makeKey,
			},
			{
				Name:  "seal",
				Usage: "put a sealed file in the place of the plain one",
				Description: `Encrypts config/secrets/<env>.env with age for the public keys in
config/secrets/<env>.recipients, and removes it. Both files that are left are to be
committed. Without a plain file, the sealed one is sealed anew, as after somebody came.

EXAMPLES:
   zr secrets seal --env staging --to $(zr secrets keygen)
   zr secrets seal --env staging --to age1… --to "ssh-ed25519 AAAA…"`,
				Flags:  secretsFlags(&cli.StringSliceFlag{Name: "to", Usage: "a public `KEY`, of age or of SSH, to be added to the recipients; repeatable"}),
				Action: sealSecrets,
			},
			{
				Name:      "set",
				Usage:     "set one value in the sealed file",
				ArgsUsage: "KEY",
				Description: `The value is read from the standard input, without the end of its last line; on a
terminal it is asked for and not shown. It is written nowhere else.

EXAMPLES:
   zr secrets set --env staging API_TOKEN
   openssl rand -hex 32 | zr secrets set --env staging LOGIN_KEY`,
				Flags:  secretsFlags(),
				Action: setSecret,
			},
			{
				Name:  "unseal",
				Usage: "write what is sealed into the plain file, to edit it",
				Description: `The plain file is for you alone, and git ignores it. No run takes the environment's
secrets as long as both files are there: ` + "`zr secrets seal`" + ` puts the sealed one in its
place again.

EXAMPLE:
   zr secrets unseal --env staging && $EDITOR config/secrets/staging.env && zr secrets seal --env staging`,
				Flags:  secretsFlags(),
				Action: unsealSecrets,
			},
		},
	}
}

// secretsFlags are of what works on files alone.
func secretsFlags(own ...cli.Flag) []cli.Flag {
	for _, f := range globalFlags() {
		if name := f.Names()[0]; name == "project" || name == "env" || name == "output" {
			own = append(own, f)
		}
	}
	return own
}

// secretsOf is where the flags say that the secrets are.
func secretsOf(c *cli.Context) (root, env string, err error) {
	root, err = config.Find(flagValue(c, "project"))
	return root, cmp.Or(flagValue(c, "env"), config.DefaultEnv), err
}

func makeKey(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	own, err := stack.OwnKey()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.App.Writer, own)
	}
	if own.File != "" {
		fmt.Fprintf(c.App.ErrWriter, "the key is made in %s; who loses it can open nothing that is sealed for it\n", own.File)
	}
	fmt.Fprintln(c.App.Writer, own.Recipient)
	return nil
}

func sealSecrets(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	root, env, err := secretsOf(c)
	if err != nil {
		return err
	}
	done, err := stack.SealSecrets(c.Context, root, env, c.StringSlice("to"))
	return tellSealing(c, done, err)
}

func setSecret(c *cli.Context) error {
	if c.NArg() != 1 {
		return fault.WithCode(errors.New("set takes one KEY, and its value from the standard input"), fault.Usage, "see `zr secrets set --help`")
	}
	root, env, err := secretsOf(c)
	if err != nil {
		return err
	}
	value, err := secretFrom(c, c.Args().First())
	if err != nil {
		return err
	}
	done, err := stack.SetSecret(c.Context, root, env, c.Args().First(), value)
	return tellSealing(c, done, err)
}

// secretFrom reads a value, which no terminal shows.
func secretFrom(c *cli.Context, key string) (string, error) {
	read := func() ([]byte, error) { return io.ReadAll(io.LimitReader(c.App.Reader, bounded.Text+1)) }
	if f, ok := c.App.Reader.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		before, err := term.GetState(int(f.Fd()))
		if err != nil {
			return "", fmt.Errorf("reading the value of %q: %w", key, err)
		}
		defer func() { _ = term.Restore(int(f.Fd()), before) }() // also after Ctrl-C, when the read goes on
		fmt.Fprintf(c.App.ErrWriter, "value of %s: ", key)
		defer fmt.Fprintln(c.App.ErrWriter)
		read = func() ([]byte, error) { return term.ReadPassword(int(f.Fd())) }
	}
	value, err := ctxcall.Do(c.Context, read, nil)
	if err == nil && len(value) > bounded.Text {
		err = bounded.ErrTooLarge
	}
	if err != nil {
		return "", fmt.Errorf("reading the value of %q: %w", key, err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(value), "\n"), "\r"), nil
}

func unsealSecrets(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	root, env, err := secretsOf(c)
	if err != nil {
		return err
	}
	done, err := stack.UnsealSecrets(c.Context, root, env)
	return tellSealing(c, done, err)
}

// tellSealing says what was done.
func tellSealing(c *cli.Context, done stack.Sealing, err error) error {
	asJSON, wrong := wantsJSON(c)
	if err = errors.Join(err, wrong); asJSON {
		return printReport(c.App.Writer, map[string]any{"sealing": done}, err)
	}
	if err != nil {
		return err
	}
	out := ui.Report(c.App.Writer)
	if done.Ignored != "" {
		fmt.Fprintf(out, "%s is written: git would have taken the plain file\n", done.Ignored)
	}
	switch {
	case done.Recipients == 0:
		fmt.Fprintf(out, "%s is written, for you alone; `zr secrets seal` removes it again\n", done.File)
	case done.Removed != "":
		fmt.Fprintf(out, "%s is written, for %d; %s is removed\n", done.File, done.Recipients, done.Removed)
	default:
		fmt.Fprintf(out, "%s is written, for %d\n", done.File, done.Recipients)
	}
	return nil
}
