package gobuild

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"zr/pkg/build"
)

// keptName is the file of a work folder that holds the program of its last image.
// Beside it stands what that was compiled from.
const (
	keptName = "binary"
	ofSuffix = ".of"
)

// errNotKept says that the program of the inputs is not at hand.
var errNotKept = errors.New("it was compiled from something else")

// kept tells what the program in a work folder was compiled from.
type kept struct {
	Made string // build.InputSet.Made
	Size int64
	Time int64 // when it was written, in nanoseconds: another build writes another one

	file string
}

// look notes which file it is that a build has just written.
func (k *kept) look(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("reading the program: %w", err)
	}
	k.file, k.Size, k.Time = file, info.Size(), info.ModTime().UnixNano()
	return nil
}

// note keeps what is known. Where that fails the program is compiled once more.
func (k *kept) note() {
	if data, err := json.Marshal(k); err == nil {
		_ = os.WriteFile(k.file+ofSuffix, data, 0o600)
	}
}

// kept copies the program that was compiled for an image into the file out, where
// it was compiled from the same inputs, as they were when the set was refreshed
// last.
func (b *Builder) kept(r build.Request, set *build.InputSet, out string) error {
	work, err := b.deps.WorkDir(r)
	if err != nil {
		return err
	}
	var noted, before, after kept
	file := filepath.Join(work, keptName)
	data, err := os.ReadFile(file + ofSuffix)
	if err == nil {
		err = json.Unmarshal(data, &noted)
	}
	if err != nil || noted.Made != set.Made() {
		return errors.Join(errNotKept, err)
	}
	if err := errors.Join(before.look(file), copyProgram(file, out), after.look(file)); err != nil {
		return err
	}
	if before != after || before.Size != noted.Size || before.Time != noted.Time {
		return errNotKept
	}
	return nil
}

func copyProgram(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
