package watch

import (
	"os"
	"path/filepath"
	"time"

	"zr/pkg/gitignore"
)

// Folder is one whose files a build is made from.
type Folder struct {
	Path string // absolute
	Deep bool   // so are those of folders that come to be below it
}

// included is what counts though an ignore file hides it. It is never changed, but
// replaced.
type included struct {
	folders map[string]bool        // real paths: whether they are deep
	wants   func(path string) bool // says it of a file in one of them
	hidden  map[string]bool        // the folders that an ignore file hides
	ways    map[string]bool        // hidden folders that only lead to those
}

// recent is how old a change of a file may be that happened before the file came
// into sight, for it to be reported: the list of folders was made since.
const recent = 5 * time.Second

// Include has the files of folders watched that wants says are made use of, also
// where an ignore file hides them: a compiler does not ask those. It takes the
// place of an earlier call, at once or as soon as a batch is handed over. wants is
// called from several goroutines; folders need not exist.
func (w *Watcher) Include(folders []Folder, wants func(path string) bool) {
	w.mu.Lock()
	w.include = &inclusion{folders, wants}
	w.mu.Unlock()
	w.wake()
}

// inclusion is a call of Include that Run has not looked at yet.
type inclusion struct {
	folders []Folder
	wants   func(path string) bool
}

func (w *Watcher) takeInclusion() *inclusion {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.include
	w.include = nil
	return i
}

// include makes folders count. It tells found the files that were hidden and have
// changed just now.
func (t *tree) include(i *inclusion, found func(file string)) error {
	next := &included{folders: map[string]bool{}, wants: i.wants}
	for _, f := range i.folders {
		path := f.Path
		for _, r := range t.roots {
			if within(path, r.path) {
				path = r.real + path[len(r.path):]
			}
		}
		next.folders[path] = next.folders[path] || f.Deep
	}
	t.included.Store(next)
	return t.hide(found)
}

// hide finds out which of the included folders the ignore files hide as they are
// now, and watches those.
func (t *tree) hide(found func(file string)) error {
	next := *t.included.Load()
	next.hidden, next.ways = map[string]bool{}, map[string]bool{}
	for dir := range next.folders {
		r, ok := t.rootOf(dir)
		if !ok || dir == r.real || !r.ignore.matches(dir, true) {
			continue
		}
		next.hidden[dir] = true
		for up := filepath.Dir(dir); up != r.real && r.ignore.matches(up, true); up = filepath.Dir(up) {
			next.ways[up] = true
		}
	}
	for dir := range next.hidden {
		delete(next.ways, dir)
	}
	t.included.Store(&next)
	return t.addIncluded(found)
}

// addIncluded watches the included folders that are hidden and what leads to them,
// and knows the files that count.
func (t *tree) addIncluded(found func(file string)) error {
	in := t.included.Load()
	meet := func(file string) {
		if t.knows(file) {
			return
		}
		t.know(file)
		if info, err := os.Lstat(file); err == nil && time.Since(info.ModTime()) < recent {
			found(file)
		}
	}
	for dir := range in.ways {
		if err := t.watchAlways(dir); err != nil {
			return err
		}
	}
	for dir := range in.hidden {
		if r, ok := t.rootOf(dir); ok {
			if err := t.add(r, dir, meet); err != nil {
				return err
			}
		}
	}
	for dir := range in.folders {
		entries, _ := os.ReadDir(dir) // it need not exist
		for _, e := range entries {
			if file := filepath.Join(dir, e.Name()); !e.IsDir() && t.wants(file, false) {
				meet(file)
			}
		}
	}
	return nil
}

// wants says of a real path that it counts whatever the ignore files say. It is
// safe for concurrent use.
func (t *tree) wants(real string, isDir bool) bool {
	in := t.included.Load()
	if len(in.folders) == 0 || gitignore.IsEditorTemp(filepath.Base(real)) {
		return false
	}
	if isDir {
		if _, ok := in.folders[real]; ok {
			return true
		}
		return in.below(filepath.Dir(real)) && !versionControl[filepath.Base(real)]
	}
	dir := filepath.Dir(real)
	_, direct := in.folders[dir]
	return (direct || in.below(dir)) && in.wants(t.named(real))
}

// below says that a folder is a deep one, or lies in one.
func (in *included) below(dir string) bool {
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if in.folders[dir] {
			return true
		}
	}
	return false
}

// isHidden says that a folder is watched for the sake of what it, or something in
// it, was included for, and is ignored otherwise.
func (t *tree) isHidden(dir string) bool {
	in := t.included.Load()
	if len(in.hidden) == 0 {
		return false
	}
	if in.ways[dir] {
		return true
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if in.hidden[dir] {
			return true
		}
	}
	return false
}

// enterIncluded watches what lies in a folder that appeared and is hidden, and
// tells found the files that count.
func (t *tree) enterIncluded(r root, folder string, found func(string)) error {
	in := t.included.Load()
	for dir := range in.ways {
		if within(dir, folder) {
			if err := t.watchAlways(dir); err != nil {
				return err
			}
		}
	}
	for dir := range in.hidden {
		if _, err := os.Lstat(dir); err == nil && within(dir, folder) {
			if err := t.add(r, dir, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// stampIncluded adds the files of included folders that are hidden to a snapshot.
func (t *tree) stampIncluded(r root, files map[string]stamp) {
	for dir := range t.included.Load().hidden {
		if !within(dir, r.real) {
			continue
		}
		entries, _ := os.ReadDir(dir) // it need not exist
		for _, e := range entries {
			file := filepath.Join(dir, e.Name())
			if info, err := e.Info(); err == nil && !e.IsDir() && t.wants(file, false) {
				files[file] = stamp{info.Size(), info.ModTime(), info.Mode()}
			}
		}
	}
}
