package editor

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Folder is a folder of small sources, its parts, each of which holds a value.
// The program that is made from them answers with the names and values of all:
// what it should answer at any time is known, whatever was done to the folder.
// It is for one goroutine.
type Folder struct {
	dir   string
	ext   string
	text  func(value string) string // of a part with a value
	parts map[string]string         // name → value
	next  int
	rand  *rand.Rand
}

// The numbers of parts between which a folder stays.
const fewest, most = 2, 8

// NewFolder fills the folder dir, which is there, with the first parts. ext is
// that of their files, such as ".js", and text makes what one holds from its
// value. The same seed gives the same changes.
func NewFolder(dir, ext string, seed uint64, text func(value string) string) (*Folder, error) {
	f := &Folder{dir: dir, ext: ext, text: text, parts: map[string]string{}, rand: rand.New(rand.NewPCG(seed, seed))}
	for range fewest {
		if err := f.save(f.fresh("part")); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Want is what the program answers: a line "name=value" for each part, in the
// order of their names.
func (f *Folder) Want() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.parts)) {
		fmt.Fprintf(&b, "%s=%s\n", name, f.parts[name])
	}
	return b.String()
}

// change is something that people do to files.
type change struct {
	name string
	// more is by how many parts the folder grows.
	more int
	do   func(f *Folder) error
}

var changes = []change{
	{"edit", 0, func(f *Folder) error { return f.save(f.some()) }},
	{"edit of the same size and time", 0, (*Folder).sameSizeAndTime},
	{"burst", 0, (*Folder).burst},
	{"new file", 1, func(f *Folder) error { return f.save(f.fresh("part")) }},
	{"rename", 0, func(f *Folder) error { return f.rename(f.some(), f.fresh("part")) }},
	{"rename over another", -1, (*Folder).replace},
	{"rename and edit", 0, func(f *Folder) error {
		to := f.fresh("part")
		return cmp.Or(f.rename(f.some(), to), f.save(to))
	}},
	{"delete", -1, func(f *Folder) error { return f.delete(f.some()) }},
	{"delete and write anew", 0, func(f *Folder) error {
		name := f.some()
		return cmp.Or(f.delete(name), f.save(name))
	}},
}

// Change does one thing at random and returns what it was. Want differs
// afterwards.
func (f *Folder) Change() (string, error) {
	for {
		c := changes[f.rand.IntN(len(changes))]
		if n := len(f.parts) + c.more; n < fewest || n > most {
			continue
		}
		if err := c.do(f); err != nil {
			return c.name, fmt.Errorf("%s: %w", c.name, err)
		}
		return c.name, nil
	}
}

func (f *Folder) path(name string) string { return filepath.Join(f.dir, name+f.ext) }

// some returns the name of a part.
func (f *Folder) some() string {
	names := slices.Sorted(maps.Keys(f.parts))
	return names[f.rand.IntN(len(names))]
}

// fresh returns a name or a value that was never there. All are of one size.
func (f *Folder) fresh(prefix string) string {
	f.next++
	return fmt.Sprintf("%s%06d", prefix, f.next)
}

// save gives a part another value by an editor.
func (f *Folder) save(name string) error {
	value := f.fresh("value")
	editor := Editors[f.rand.IntN(len(Editors))]
	if err := editor.Save(f.path(name), []byte(f.text(value))); err != nil {
		return fmt.Errorf("%s: %w", editor.Name, err)
	}
	f.parts[name] = value
	return nil
}

// sameSizeAndTime is a save that the file's size and time do not show, as of a
// tool that restores them.
func (f *Folder) sameSizeAndTime() error {
	name := f.some()
	before, err := os.Stat(f.path(name))
	if err != nil {
		return err
	}
	return cmp.Or(f.save(name), os.Chtimes(f.path(name), time.Time{}, before.ModTime()))
}

// burst saves some files, or one again and again, faster than anything can be
// made live.
func (f *Folder) burst() error {
	for range 2 + f.rand.IntN(9) {
		if err := f.save(f.some()); err != nil {
			return err
		}
		time.Sleep(time.Duration(f.rand.IntN(30)) * time.Millisecond) // the pace of the saves is what is tried
	}
	return nil
}

func (f *Folder) rename(from, to string) error {
	if err := os.Rename(f.path(from), f.path(to)); err != nil {
		return err
	}
	f.parts[to] = f.parts[from]
	delete(f.parts, from)
	return nil
}

func (f *Folder) replace() error {
	from, to := f.some(), f.some()
	for from == to {
		to = f.some()
	}
	return f.rename(from, to)
}

func (f *Folder) delete(name string) error {
	delete(f.parts, name)
	return os.Remove(f.path(name))
}
