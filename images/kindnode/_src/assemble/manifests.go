package main

import (
	"embed"
	"io/fs"
	"path"
)

// manifestFiles are what kind applies to a new cluster, by the names under
// which kind looks for them in /kind/manifests.
//
//go:embed manifests
var manifestFiles embed.FS

func (b build) manifests() error {
	return fs.WalkDir(manifestFiles, "manifests", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := manifestFiles.ReadFile(name)
		if err != nil {
			return err
		}
		return writeFile(b.node(path.Join("kind", name)), string(content), 0o644)
	})
}
