// Package editor changes files as people do: by the programs that they edit
// with, each of which writes a file in its own way, and by the things that they
// do to files in a day.
package editor

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"time"
)

// Editor is a way to save a file.
type Editor struct {
	Name string
	// Save writes text to a file, which may be new. Files that it makes beside
	// it are gone afterwards, but for the backup of Emacs, path + "~".
	Save func(path string, text []byte) error
	// InPlace says that a file that is there stays the same file, with new text.
	InPlace bool
}

// Editors are those that most people use, with the settings that they come
// with.
var Editors = []Editor{
	{"vim", vim, false},
	{"Emacs", emacs, false},
	{"VS Code", inPlace, true},
	{"JetBrains", jetbrains, false},
	{"nano", nano, true},
	{"sed -i", sed, false},
	{"Sublime Text", sublime, false},
	{"cp", slowCopy, true},
}

const mode = 0o644

// inPlace opens the file, which empties it, writes it whole and has it reach
// the disk.
func inPlace(path string, text []byte) error {
	return write(path, [][]byte{text}, 0)
}

// nano writes line by line, beside a lock file of its own.
func nano(path string, text []byte) error {
	lock := beside(path, ".", ".swp")
	if err := os.WriteFile(lock, []byte("b0nano"), mode); err != nil {
		return err
	}
	return cmp.Or(write(path, bytes.SplitAfter(text, []byte("\n")), 0), os.Remove(lock))
}

// copyPause is between the halves of a file that comes slowly, as from another
// disk: longer than a batch of saves stays open after its last event.
const copyPause = 15 * time.Millisecond

// slowCopy writes the file in halves.
func slowCopy(path string, text []byte) error {
	half := len(text) / 2
	return write(path, [][]byte{text[:half], text[half:]}, copyPause)
}

func write(path string, parts [][]byte, pause time.Duration) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	for i, part := range parts {
		if i > 0 {
			time.Sleep(pause) // the pace of the writes is what is tried
		}
		if _, err = f.Write(part); err != nil {
			break
		}
	}
	return cmp.Or(err, f.Sync(), f.Close())
}

// vim tries whether it may make files in the folder, moves the old file away,
// writes a new one and removes the old. Its swap file is there all the time.
func vim(path string, text []byte) error {
	swap, try, backup := beside(path, ".", ".swp"), filepath.Join(filepath.Dir(path), "4913"), path+"~"
	return cmp.Or(
		os.WriteFile(swap, []byte("b0VIM 9.0"), mode),
		os.WriteFile(try, nil, mode), os.Remove(try),
		move(path, backup), os.WriteFile(path, text, mode), remove(backup),
		os.Remove(swap))
}

// emacs locks the file by a symlink that leads nowhere, moves the old file to the
// backup, which stays, and writes a new one.
func emacs(path string, text []byte) error {
	lock := beside(path, ".#", "")
	return cmp.Or(
		os.Symlink("somebody@somewhere.4711:1700000000", lock),
		move(path, path+"~"), os.WriteFile(path, text, mode),
		os.Remove(lock))
}

// jetbrains writes a file beside, moves the old one away and the new one to
// its place ("safe write").
func jetbrains(path string, text []byte) error {
	fresh, old := path+"___jb_tmp___", path+"___jb_old___"
	return cmp.Or(os.WriteFile(fresh, text, mode), move(path, old), os.Rename(fresh, path), remove(old))
}

// sed writes a file beside and moves it over the old one.
func sed(path string, text []byte) error {
	temp := filepath.Join(filepath.Dir(path), "sedQx3f7A")
	return cmp.Or(os.WriteFile(temp, text, mode), os.Rename(temp, path))
}

// sublime does the same ("atomic save"), under a hidden name.
func sublime(path string, text []byte) error {
	temp := beside(path, ".subl", ".tmp")
	return cmp.Or(os.WriteFile(temp, text, mode), os.Rename(temp, path))
}

// beside is a name in the folder of path that is made from its own.
func beside(path, before, after string) string {
	return filepath.Join(filepath.Dir(path), before+filepath.Base(path)+after)
}

// move renames a file that may be new, and thus not be there yet.
func move(from, to string) error { return present(os.Rename(from, to)) }

func remove(path string) error { return present(os.Remove(path)) }

func present(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}
