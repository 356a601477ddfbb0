package image

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// PruneOptions says what may go. What a living zr process uses never goes.
type PruneOptions struct {
	// Budget is the size in bytes to come down to, by dropping what was not
	// used for longest. Negative: the store's own. 0: everything that may go.
	Budget int64
	// Superseded also drops, whatever the size, builds that have a newer
	// build of the same repository.
	Superseded bool
	// Keep are names of images that stay, for example those that the project's
	// manifests name.
	Keep []string
}

// Pruned is what a prune did. Sizes are in bytes on disk.
type Pruned struct {
	Removed []Entry `json:"removed"`
	Freed   int64   `json:"freed"`
	Size    int64   `json:"size"` // of what remains
}

// Prune drops images and all blobs that no image and no living process names.
// It may run beside any other use of the store.
func (s *Store) Prune(ctx context.Context, o PruneOptions) (Pruned, error) {
	lock, err := lockFile(ctx, s.path(lockName), true)
	if err != nil {
		return Pruned{}, fmt.Errorf("pruning images: %w", err)
	}
	defer lock.unlock()
	pruned, err := s.prune(o)
	if err != nil {
		return pruned, fmt.Errorf("pruning images: %w", err)
	}
	return pruned, nil
}

// trim keeps the budget after a write, and clears what killed runs left.
func (s *Store) trim(ctx context.Context) error {
	if _, err := s.clearLeftovers(); err != nil {
		return err
	}
	size, err := s.blobs(nil)
	if err != nil || size <= s.budget {
		return err
	}
	_, err = s.Prune(ctx, PruneOptions{Budget: -1})
	return err
}

func (s *Store) prune(o PruneOptions) (Pruned, error) {
	if o.Budget < 0 {
		o.Budget = s.budget
	}
	index, err := s.index()
	if err != nil {
		return Pruned{}, err
	}
	live, err := s.leased()
	if err != nil {
		return Pruned{}, err
	}
	for _, name := range o.Keep {
		if entry, err := s.Find(name); err == nil {
			live[entry.Digest] = struct{}{}
		}
	}

	users, size := s.references(index, live)
	var removed []Entry
	for _, candidate := range s.candidates(index, live) {
		if size <= o.Budget && !(o.Superseded && candidate.superseded) {
			continue
		}
		removed = append(removed, candidate.Entry)
		for blob, bytes := range s.members(candidate.desc) {
			if users[blob]--; users[blob] == 0 {
				size -= bytes
			}
		}
	}
	if len(removed) > 0 {
		gone := func(d v1.Descriptor) bool {
			return slices.ContainsFunc(removed, func(e Entry) bool { return e.Name == d.Annotations[annotationName] })
		}
		index.Manifests = slices.DeleteFunc(index.Manifests, gone)
		if err := s.writeIndex(index); err != nil { // first the name, then what it names
			return Pruned{}, err
		}
	}
	freed, err := s.sweep(func(digest string) bool { return users[digest] > 0 })
	if err != nil {
		return Pruned{}, err
	}
	left, err := s.blobs(nil)
	return Pruned{Removed: removed, Freed: freed, Size: left}, err
}

// references counts, for each blob, the images and leases that need it, and
// returns the size of all of them.
func (s *Store) references(index *v1.IndexManifest, live map[string]struct{}) (users map[string]int, size int64) {
	users = map[string]int{}
	add := func(blob string, bytes int64) {
		if users[blob]++; users[blob] == 1 {
			size += bytes
		}
	}
	for _, desc := range index.Manifests {
		for blob, bytes := range s.members(desc) {
			add(blob, bytes)
		}
	}
	for digest := range live {
		h, err := v1.NewHash(digest)
		if err != nil {
			continue
		}
		if info, err := os.Stat(s.blobPath(h)); err == nil {
			// A manifest keeps its layers. Anything else has no members.
			desc := v1.Descriptor{Digest: h, Size: info.Size()}
			if info.Size() > maxManifest {
				add(digest, info.Size())
				continue
			}
			for blob, bytes := range s.members(desc) {
				add(blob, bytes)
			}
		}
	}
	return users, size
}

// maxManifest is the size above which a leased blob is not tried as a
// manifest: registries refuse larger ones.
const maxManifest = 4 << 20

// members returns the blobs of an image with their sizes, its manifest
// included. A blob that is no manifest has itself only.
func (s *Store) members(desc v1.Descriptor) map[string]int64 {
	members := map[string]int64{desc.Digest.String(): desc.Size}
	manifest, _, err := s.manifest(desc)
	if err != nil || manifest.Config.Digest.Hex == "" {
		return members
	}
	members[manifest.Config.Digest.String()] = manifest.Config.Size
	for _, layer := range manifest.Layers {
		members[layer.Digest.String()] = layer.Size
	}
	return members
}

type candidate struct {
	Entry
	superseded bool
}

// candidates returns what may go, in the order in which it goes: builds that
// have a newer one first, then by last use.
func (s *Store) candidates(index *v1.IndexManifest, live map[string]struct{}) []candidate {
	newest := map[string]Entry{}
	var all []candidate
	for _, desc := range index.Manifests {
		e := s.entry(desc)
		if repo := repositoryOf(e.Name); e.Source == Built && !e.LastUsed.Before(newest[repo].LastUsed) {
			newest[repo] = e
		}
		if _, used := live[e.Digest]; !used {
			all = append(all, candidate{Entry: e})
		}
	}
	for i, c := range all {
		all[i].superseded = c.Source == Built && newest[repositoryOf(c.Name)].Name != c.Name
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		if a.superseded != b.superseded {
			if a.superseded {
				return -1
			}
			return 1
		}
		return a.LastUsed.Compare(b.LastUsed)
	})
	return all
}

// leased returns the digests that living processes use, and removes the
// leases of dead ones.
func (s *Store) leased() (map[string]struct{}, error) {
	live := map[string]struct{}{}
	files, err := filepath.Glob(s.path(leaseDir, "*"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if abandoned(file) {
			os.Remove(file)
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // closed meanwhile
		}
		for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
			live[lines.Text()] = struct{}{}
		}
	}
	return live, nil
}

// leftover is the age from which a file on its way in that nobody holds
// counts as left behind. It is longer than the moment between creating a file
// and locking it, and than it takes to write an index.
const leftover = time.Minute

// sweep removes blobs that are not kept, what Push learned about them, and
// files that killed processes left behind. It returns the bytes freed.
func (s *Store) sweep(keep func(digest string) bool) (freed int64, err error) {
	_, err = s.blobs(func(path string, info os.FileInfo) error {
		if keep("sha256:" + filepath.Base(path)) {
			return nil
		}
		freed += info.Size()
		return os.Remove(path)
	})
	if err != nil {
		return freed, err
	}
	left, err := s.clearLeftovers()
	freed += left
	if err != nil {
		return freed, err
	}
	learned, err := filepath.Glob(s.path(compressDir, "*"))
	if err != nil {
		return freed, err
	}
	for _, file := range learned {
		if hex, _, _ := strings.Cut(filepath.Base(file), "."); !keep("sha256:" + hex) {
			os.Remove(file)
		}
	}
	return freed, nil
}

// clearLeftovers removes the files that killed processes were writing.
func (s *Store) clearLeftovers() (freed int64, err error) {
	files, err := filepath.Glob(s.path(ingestDir, "*"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > leftover && abandoned(file) {
			freed += info.Size()
			os.Remove(file)
		}
	}
	return freed, err
}

// Size is how many bytes the store takes.
func (s *Store) Size() (int64, error) { return s.blobs(nil) }

// blobs calls visit for each blob file and returns the size of all of them.
func (s *Store) blobs(visit func(path string, info os.FileInfo) error) (size int64, err error) {
	dir := s.path("blobs", "sha256")
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			continue // removed meanwhile
		}
		size += info.Size()
		if visit != nil {
			if err := visit(filepath.Join(dir, file.Name()), info); err != nil {
				return size, err
			}
		}
	}
	return size, nil
}
