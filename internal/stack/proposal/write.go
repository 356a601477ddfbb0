package proposal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"zr/pkg/bounded"
	"zr/pkg/config"
	"zr/pkg/devattach"
)

// Write does what a proposal says to the files of a project at root: all of it, or none,
// also where check then says that the project is not right. A file that is to be new is
// never written over, and nothing outside of root is touched, whatever the links in it.
// It returns the files that were written, in their order.
func Write(root string, edits []devattach.Snippet, check func() error) (files []string, err error) {
	in, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	texts := map[string][]byte{}
	before := map[string][]byte{} // of those that are there
	for _, e := range edits {
		if texts[e.File] == nil {
			files = append(files, e.File)
		}
		switch now, err := in.ReadFile(e.File); {
		case texts[e.File] != nil:
		case e.New && errors.Is(err, fs.ErrNotExist):
			texts[e.File] = []byte(e.Text)
			continue
		case e.New && err == nil:
			return nil, fmt.Errorf("writing %s: it is there already", e.File)
		case err != nil:
			return nil, fmt.Errorf("writing %s: %w", e.File, err)
		case len(now) > bounded.Text:
			return nil, fmt.Errorf("writing %s: it is larger than 1 MiB", e.File)
		default:
			texts[e.File], before[e.File] = now, now
		}
		if texts[e.File], err = config.Insert(texts[e.File], e.Under, e.Text); err != nil {
			return nil, fmt.Errorf("adding to %q in %s: %w", e.Under, e.File, err)
		}
	}
	var done []string
	folders := missing(in, files)
	for _, file := range files {
		if err = put(in, file, texts[file], before[file] == nil); err != nil {
			break
		}
		done = append(done, file)
	}
	if err == nil {
		err = check()
	}
	if err == nil {
		return files, nil
	}
	var left error
	for _, file := range done {
		left = errors.Join(left, takeBack(in, file, before[file]))
	}
	for _, folder := range folders {
		_ = in.Remove(folder) // not that which somebody has put something into meanwhile
	}
	if left != nil {
		return nil, fmt.Errorf("%w; and what was written could not be taken back: %w", err, left)
	}
	return nil, fmt.Errorf("nothing was written: %w", err)
}

// missing are the folders of files that are not there yet, the deepest first.
func missing(in *os.Root, files []string) (folders []string) {
	for _, file := range files {
		for dir := path.Dir(file); dir != "." && !slices.Contains(folders, dir); dir = path.Dir(dir) {
			if _, err := in.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
				folders = append(folders, dir)
			}
		}
	}
	slices.SortFunc(folders, func(a, b string) int { return len(b) - len(a) })
	return folders
}

// put writes one file, which appears at once and whole.
func put(in *os.Root, file string, text []byte, isNew bool) error {
	if err := in.MkdirAll(path.Dir(file), 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	mode := fs.FileMode(0o644)
	if info, err := in.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	draft := file + ".zr-draft"
	if err := in.WriteFile(draft, text, mode); err != nil {
		return fmt.Errorf("writing %s: %w", file, errors.Join(err, gone(in.Remove(draft))))
	}
	move := in.Rename
	if isNew {
		move = in.Link // which fails where somebody has made the file meanwhile
	}
	if err := errors.Join(move(draft, file), gone(in.Remove(draft))); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}

// takeBack has a file be as it was; nil is none.
func takeBack(in *os.Root, file string, before []byte) error {
	if before == nil {
		return gone(in.Remove(file))
	}
	return put(in, file, before, false)
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
