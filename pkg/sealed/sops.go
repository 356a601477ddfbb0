package sealed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"zr/pkg/bounded"
	"zr/pkg/fault"
)

// sops is the user's own program, as docker's credential helpers are: linked in, what it
// needs of each cloud would make zr 15 MB larger.

// grace is how long a cancelled sops may take to end by itself.
const grace = 2 * time.Second

// Exit codes of sops.
const (
	sopsMACMismatch = 51
	sopsMACNotFound = 52
	sopsNoKey       = 128
	sopsBadTree     = 25
	sopsNoMetadata  = 1 // among others
)

// openSops returns what a file of sops holds: of one that ends in ".env" its lines, and
// of the others JSON, since sops quotes in an error what it cannot write as lines.
func openSops(ctx context.Context, path string) ([]byte, error) {
	program, err := exec.LookPath("sops")
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("it takes the program sops: %w", err), "install it (https://getsops.io), or seal the secrets with age: `zr secrets seal`")
	}
	format := "json"
	if filepath.Ext(path) == ".env" {
		format = "dotenv"
	}
	cmd := exec.CommandContext(ctx, program, "--decrypt", "--output-type", format, path)
	text, words := limited{left: bounded.Text}, limited{left: 4 << 10}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = filepath.Dir(path), sopsEnv(), &text, &words
	// In a group of its own, with the helpers that it starts.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what did not end by itself
		}
		return nil, context.Cause(ctx)
	case text.over:
		return nil, fmt.Errorf("what is in it is %w: more than %d MiB", bounded.ErrTooLarge, bounded.Text>>20)
	case err != nil:
		return nil, sopsFault(err, strings.TrimSpace(words.taken.String()))
	}
	return text.taken.Bytes(), nil
}

// sopsFault says why sops ended, in its words, and what to do.
func sopsFault(err error, words string) error {
	hint := ""
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		switch exit.ExitCode() {
		case sopsNoKey:
			hint = fmt.Sprintf("sign in to what holds the key, or name one of age by %s or %s", keyVariable, keyFileVariable)
		case sopsMACMismatch, sopsMACNotFound, sopsBadTree:
			hint = "it was changed since it was sealed: take it back from git, or change it by `sops edit`"
		case sopsNoMetadata:
			hint = "`sops encrypt` seals a file"
		}
	}
	if words != "" {
		err = fmt.Errorf("sops: %w: %s", err, words)
	} else {
		err = fmt.Errorf("sops: %w", err)
	}
	return fault.Hint(err, hint)
}

// sopsEnv is the environment of sops: zr's own, in which it finds its keys and those of
// the clouds. It has the key that zr is given, where it is given none itself.
func sopsEnv() []string {
	env := os.Environ()
	for own, theirs := range map[string]string{keyVariable: sopsVariable, keyFileVariable: sopsFileVariable} {
		if value := os.Getenv(own); value != "" && os.Getenv(theirs) == "" {
			env = append(env, theirs+"="+value)
		}
	}
	return env
}

// limited takes no more than some bytes, and says whether there were more. What is more
// is read all the same, so that nobody waits to write it.
type limited struct {
	taken bytes.Buffer // not embedded: it has a ReadFrom without an end
	left  int
	over  bool
}

// Write is part of io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	n := len(p)
	if n > l.left {
		p, l.over = p[:l.left], true
	}
	l.left -= len(p)
	_, err := l.taken.Write(p)
	return n, err
}
