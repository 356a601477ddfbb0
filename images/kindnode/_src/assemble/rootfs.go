package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// rootfs reads single files of a root file system that is kept as a tar.
type rootfs struct {
	file    *os.File
	entries map[string]rootfsEntry // by absolute path
}

type rootfsEntry struct {
	header *tar.Header
	offset int64 // of the content
}

func openRootfs(name string) (*rootfs, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	r := &rootfs{file: file, entries: map[string]rootfsEntry{}}
	for t := tar.NewReader(file); ; {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		offset, err := file.Seek(0, io.SeekCurrent)
		if err != nil {
			file.Close()
			return nil, err
		}
		r.entries[path.Join("/", header.Name)] = rootfsEntry{header, offset}
	}
}

func (r *rootfs) Close() error { return r.file.Close() }

// under returns the files and links whose path holds part and ends in suffix.
func (r *rootfs) under(part, suffix string) []string {
	var found []string
	for name, e := range r.entries {
		if e.header.Typeflag != tar.TypeDir && strings.Contains(name, part) && strings.HasSuffix(name, suffix) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// closure returns paths, the links that lead to them, and every shared
// library that they load, sorted.
func (r *rootfs) closure(paths []string) ([]string, error) {
	seen := map[string]bool{}
	for queue := paths; len(queue) > 0; queue = queue[1:] {
		name := merged(queue[0])
		if seen[name] {
			continue
		}
		e, ok := r.entries[name]
		if !ok {
			return nil, fmt.Errorf("the root file system has no %s", name)
		}
		seen[name] = true
		if e.header.Typeflag == tar.TypeSymlink {
			target := e.header.Linkname
			if !path.IsAbs(target) {
				target = path.Join(path.Dir(name), target)
			}
			queue = append(queue, target)
			continue
		}
		libraries, err := r.libraries(e)
		if err != nil {
			return nil, fmt.Errorf("reading the libraries of %s: %w", name, err)
		}
		for _, library := range libraries {
			found, err := r.library(library)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			queue = append(queue, found)
		}
	}
	all := make([]string, 0, len(seen))
	for name := range seen {
		all = append(all, name)
	}
	slices.Sort(all)
	return all, nil
}

// libraries returns what an ELF file asks the loader for, and the loader.
func (r *rootfs) libraries(e rootfsEntry) ([]string, error) {
	binary, err := elf.NewFile(io.NewSectionReader(r.file, e.offset, e.header.Size))
	if err != nil {
		return nil, err
	}
	names, err := binary.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP {
			loader, err := io.ReadAll(p.Open())
			if err != nil {
				return nil, err
			}
			names = append(names, string(bytes.TrimRight(loader, "\x00")))
		}
	}
	return names, nil
}

// library finds a library by its name, or by its path for the loader.
func (r *rootfs) library(name string) (string, error) {
	if path.IsAbs(name) {
		return name, nil
	}
	for p := range r.entries {
		if match, _ := path.Match("/usr/lib/*-linux-gnu/"+name, p); match {
			return p, nil
		}
	}
	return "", fmt.Errorf("the root file system has no library %s", name)
}

// merged returns the path below /usr that a path of the root stands for:
// Debian has links from /bin, /lib, /lib64 and /sbin to their namesakes there.
func merged(name string) string {
	for _, dir := range []string{"/bin/", "/lib/", "/lib64/", "/sbin/"} {
		if strings.HasPrefix(name, dir) {
			return "/usr" + name
		}
	}
	return name
}

// extract writes one file or link to a path of the host.
func (r *rootfs) extract(name, to string) error {
	e := r.entries[name]
	if e.header.Typeflag == tar.TypeSymlink {
		return symlink(e.header.Linkname, to)
	}
	content, err := io.ReadAll(io.NewSectionReader(r.file, e.offset, e.header.Size))
	if err != nil {
		return err
	}
	return writeFile(to, string(content), os.FileMode(e.header.Mode&0o777))
}
