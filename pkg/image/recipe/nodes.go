package recipe

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
)

func folderNode(mode int64, user int) node {
	return node{header: &tar.Header{Typeflag: tar.TypeDir, Mode: mode, Uid: user, Gid: user}}
}

func linkNode(target string) node {
	return node{header: &tar.Header{Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777}}
}

// addFS adds the files of a recipe's root/ folder. An embedded file system
// knows no modes: what begins with "#!" is a program.
func (t tree) addFS(files fs.FS) error {
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if bytes.HasPrefix(content, []byte("#!")) {
			mode = 0o755
		}
		t[name] = fileNode(mode, content)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // most recipes have no root/
	}
	return err
}
