package folder

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"

	"zr/pkg/agentspec/wire"
)

const stateFile = "state.json"

// state outlives the container, in the pod's volume.
type state struct {
	Seed  string    `json:"seed"`  // build hash of the image
	Build string    `json:"build"` // build hash of the files
	Files wire.Tree `json:"files"`
}

// Save remembers what the folder holds for the next start of the container.
func (f *Folder) Save(seedBuild, build string) error {
	f.mu.Lock()
	s := state{Seed: seedBuild, Build: build, Files: treeOf(f.held)}
	f.mu.Unlock()
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("saving the state of the folder: %w", err)
	}
	tmp := stateFile + ".new"
	if err := f.root.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("saving the state of the folder: %w", err)
	}
	if err := f.root.Rename(tmp, stateFile); err != nil {
		return fmt.Errorf("saving the state of the folder: %w", err)
	}
	return nil
}

// forget makes the next start of the container begin with the seed.
func (f *Folder) forget() { _ = f.root.Remove(stateFile) }

// resume takes over a saved version. It does not if that came from another
// image or if the folder does not hold it to the byte: then the container
// ended in the middle of a change, or somebody else wrote to the folder.
func (f *Folder) resume(seedBuild string) (build string, ok bool) {
	b, err := f.root.ReadFile(stateFile)
	if err != nil {
		return "", false
	}
	var s state
	if json.Unmarshal(b, &s) != nil || s.Seed != seedBuild {
		return "", false
	}
	found := map[string]*held{}
	buf := make([]byte, wire.MaxChunk)
	for p, want := range s.Files {
		h, err := f.hash(filePath(p), want.Exec, buf)
		if err != nil || h.File != want {
			return "", false
		}
		found[p] = h
	}
	maps.Copy(f.held, found)
	return s.Build, true
}

func (f *Folder) hash(name string, exec bool, buf []byte) (*held, error) {
	file, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	leaves, err := hashTo(io.Discard, file, buf)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return newHeld(info, exec, leaves), nil
}
