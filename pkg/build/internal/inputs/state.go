package inputs

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// state is what is kept between processes. A value of it is never changed
// once it is in a Set.
type state struct {
	Version  int              `json:"version"`
	Files    map[string]known `json:"files"`
	Shapes   map[string]known `json:"shapes"`
	Dirs     []knownDir       `json:"dirs"`
	Tools    map[string]stat  `json:"tools"`
	Further  []string         `json:"further"`
	Settings string           `json:"settings,omitempty"` // their hash

	touched bool // differs from what the cache file holds
}

// known is a file as it was read last.
type known struct {
	Stat  stat   `json:"stat"`
	Hash  string `json:"hash"`
	Shape string `json:"shape,omitempty"`
	Loose bool   `json:"loose,omitempty"`
}

// knownDir is a folder as it was listed last.
type knownDir struct {
	Dir
	Stat  stat     `json:"stat"`
	Names []string `json:"names"` // the relevant ones, sorted; folders end in a slash
}

// stateVersion is part of the cache file: another one is not read. It changes when a
// Lister names other files for the same project.
const stateVersion = 3

func readState(path string) state {
	var s state
	raw, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(raw, &s) != nil || s.Version != stateVersion {
		return state{} // nothing is known: everything is looked at
	}
	return s
}

// write keeps the state. It is only a cache: where it cannot be written the
// next process looks again.
func (s state) write(path string) error {
	if path == "" {
		return nil
	}
	return writeJSON(path, s)
}

// look compares the state with the disk. It returns the state with what was
// read anew, and whether the list of files still stands.
func (s state) look(lister Lister) (next state, listStands bool, err error) {
	if s.Version != stateVersion {
		return state{}, false, nil
	}
	next = s
	next.Files, next.Shapes = maps.Clone(s.Files), maps.Clone(s.Shapes)
	next.Dirs, next.Tools = slices.Clone(s.Dirs), maps.Clone(s.Tools)
	listStands = s.Settings == hashOf(lister.Settings())
	now := time.Now()
	for path, before := range s.Tools {
		current, err := statOf(path, now)
		if err != nil {
			return state{}, false, err
		}
		if !before.same(current) {
			listStands = listStands && before.Mtime == current.Mtime && before.Ctime == current.Ctime && before.Inode == current.Inode
			next.Tools[path], next.touched = current, true
		}
	}
	for i, before := range s.Dirs {
		current, err := statOf(before.Path, now)
		if err != nil {
			return state{}, false, err
		}
		if before.Stat.same(current) {
			continue
		}
		names, err := listing(before.Dir, lister)
		if err != nil {
			return state{}, false, err
		}
		listStands = listStands && slices.Equal(names, before.Names) && current.isDir() == before.Stat.isDir()
		next.Dirs[i], next.touched = knownDir{before.Dir, current, names}, true
	}
	for _, files := range []map[string]known{next.Files, next.Shapes} {
		for path, before := range files {
			current, err := statOf(path, now)
			if err != nil {
				return state{}, false, err
			}
			if before.Stat.same(current) {
				continue
			}
			k, err := learn(path, lister)
			if err != nil {
				return state{}, false, err
			}
			k.Loose = before.Loose
			listStands = listStands && k.Shape == before.Shape && k.Stat.Absent == before.Stat.Absent && k.Stat.isDir() == before.Stat.isDir()
			files[path], next.touched = k, true
		}
	}
	return next, listStands, nil
}

// duringList marks what was written while the list was made: it may not be
// what the list was made from, and so the next look asks for the list again.
const duringList = "written while the list was made"

// tick is the coarsest step of the kernel's clock for file times (100 Hz).
const tick = 10 * time.Millisecond

// newState reads what a list names that was begun at a time, and takes from
// the state before it what was looked at just then.
func newState(list List, lister Lister, before state, began time.Time) (state, error) {
	late := func(st stat) bool { return !st.Absent && max(st.Ctime, st.Mtime) >= began.Add(-tick).UnixNano() }
	s := state{
		Version: stateVersion, Further: list.Further, Settings: hashOf(lister.Settings()), touched: true,
		Files: map[string]known{}, Shapes: map[string]known{}, Tools: map[string]stat{},
	}
	for _, of := range []struct {
		paths []string
		into  map[string]known
		from  map[string]known
		loose bool
	}{{list.Loose, s.Files, before.Files, true}, {list.Files, s.Files, before.Files, false}, {list.Shapes, s.Shapes, before.Shapes, false}} {
		for _, path := range of.paths {
			if k, ok := of.from[path]; ok {
				k.Loose = of.loose
				of.into[path] = k
				continue
			}
			k, err := learn(path, lister)
			if err != nil {
				return state{}, err
			}
			if late(k.Stat) {
				k.Shape = duringList
			}
			k.Loose = of.loose
			of.into[path] = k
		}
	}
	now := time.Now()
	for _, dir := range list.Dirs {
		current, err := statOf(dir.Path, now)
		if err != nil {
			return state{}, err
		}
		names, err := listing(dir, lister)
		if err != nil {
			return state{}, err
		}
		if late(current) {
			names = []string{duringList}
		}
		s.Dirs = append(s.Dirs, knownDir{dir, current, names})
	}
	for _, tool := range list.Tools {
		current, err := statOf(tool, now)
		if err != nil {
			return state{}, err
		}
		s.Tools[tool] = current
	}
	return s, nil
}

// hashOf keeps the hash of settings: some may be secrets. None have none.
func hashOf(settings string) string {
	if settings == "" {
		return ""
	}
	return hashBytes([]byte(settings))
}

// listing returns the relevant names of a folder. A folder that is gone, or a file
// by now, has none.
func listing(dir Dir, lister Lister) ([]string, error) {
	entries, err := os.ReadDir(dir.Path)
	if isGone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, e := range entries {
		if !lister.Relevant(dir, e.Name(), e.IsDir()) {
			continue
		}
		if e.IsDir() {
			names = append(names, e.Name()+"/")
		} else {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}
