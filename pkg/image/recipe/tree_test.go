package recipe

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSince(t *testing.T) {
	before := treeOf(t, map[string]string{"etc/": "", "etc/same": "1", "etc/changed": "1", "etc/gone": "1", "old/": "", "old/a/": "", "old/a/b": "1"})
	after := treeOf(t, map[string]string{"etc/": "", "etc/same": "1", "etc/changed": "2", "etc/new": "1"})
	layer := after.since(before)
	want := []string{".wh.old", "etc/.wh.gone", "etc/changed", "etc/new"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(layer))); diff != "" {
		t.Error(diff)
	}
}

func TestAddParents(t *testing.T) {
	below := tree{"var": folderNode(0o711, 5)}
	layer := tree{"var/lib/data": fileNode(0o644, nil)}
	if err := layer.addParents(below); err != nil {
		t.Fatal(err)
	}
	if h := layer["var"].header; h.Mode != 0o711 || h.Uid != 5 {
		t.Errorf("var = %+v, want the one below", h)
	}
	if h := layer["var/lib"].header; h.Mode != 0o755 || h.Typeflag != tar.TypeDir {
		t.Errorf("var/lib = %+v", h)
	}
	through := tree{"lib/x": fileNode(0o644, nil)}
	if err := through.addParents(tree{"lib": linkNode("usr/lib")}); err == nil {
		t.Error("a file below a link was accepted: it would replace the link")
	}
}

func TestWithout(t *testing.T) {
	full := treeOf(t, map[string]string{
		"usr/": "", "usr/bin/": "", "usr/bin/perl": "x", "usr/bin/perl5": "x", "usr/bin/sh": "x",
		"usr/share/doc/a/copyright": "x", "usr/share/doc/a/changelog": "x",
		"usr/lib/x86/perl/deep/file": "x",
	})
	left := full.without([]string{"usr/bin/perl*", "usr/share/doc/*/*", "usr/lib/*/perl"}, []string{"usr/share/doc/*/copyright"})
	want := []string{"usr", "usr/bin", "usr/bin/sh", "usr/share/doc/a/copyright"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(left))); diff != "" {
		t.Error(diff)
	}
}

func TestReadTar(t *testing.T) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "./bin/a", Mode: 0o4755, Size: 3, Uname: "root", PAXRecords: map[string]string{
			"SCHILY.xattr.security.capability": "cap", "comment": "x"}},
		{Typeflag: tar.TypeLink, Name: "./bin/b", Linkname: "./bin/a"},
		{Typeflag: tar.TypeSymlink, Name: "./bin/c", Linkname: "a"},
		{Typeflag: tar.TypeChar, Name: "./dev/null", Devmajor: 1, Devminor: 3},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			_, _ = io.WriteString(w, "abc")
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "root.tar")
	if err := os.WriteFile(name, archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	read, err := readTar(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "dev/null"} {
		if _, ok := read[name]; ok {
			t.Errorf("%q was read", name)
		}
	}
	for _, file := range []string{"bin/a", "bin/b"} {
		content, err := read.read(file)
		h := read[file].header
		if err != nil || string(content) != "abc" || h.Mode != 0o4755 || h.Typeflag != tar.TypeReg || h.Uname != "" {
			t.Errorf("%s = %q, %v, %+v", file, content, err, h)
		}
		if diff := cmp.Diff(map[string]string{"SCHILY.xattr.security.capability": "cap"}, h.PAXRecords); diff != "" {
			t.Error(diff)
		}
	}
	if read["bin/c"].header.Linkname != "a" {
		t.Errorf("bin/c = %+v", read["bin/c"].header)
	}
}

// The same files give the same bytes, in whatever order and at whatever time
// they came to be.
func TestWriteIsReproducible(t *testing.T) {
	write := func(order []string) []byte {
		dir := t.TempDir()
		for _, name := range order {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		read, err := readDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := read.write(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	names := []string{"a/b", "a-b", "z", "a/c/d"}
	first := write(names)
	slices.Reverse(names)
	if !bytes.Equal(first, write(names)) {
		t.Error("two writes of the same files differ")
	}
	if !bytes.Contains(first, []byte("a/c/d")) {
		t.Error("a file is missing")
	}
}

// treeOf makes files of names, and folders of names that end in a slash.
func treeOf(t *testing.T, entries map[string]string) tree {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "x.tar")
	made := tree{}
	for at, content := range entries {
		if folder, ok := strings.CutSuffix(at, "/"); ok {
			made[folder] = folderNode(0o755, 0)
			continue
		}
		made[at] = fileNode(0o644, []byte(content))
	}
	if err := writeTar(name, made); err != nil {
		t.Fatal(err)
	}
	read, err := readTar(name) // which sums the contents
	if err != nil {
		t.Fatal(err)
	}
	return read
}
