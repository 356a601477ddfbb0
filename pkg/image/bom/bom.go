// Package bom says what is in an image, and how it was made: a bill of materials as SPDX,
// and a provenance as an in-toto statement. Both are functions of the image alone.
package bom

import (
	"archive/tar"
	"bufio"
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Package is one thing that somebody else made and that is in an image.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"url"` // as a package URL: pkg:golang/example.org/x@v1.0.0
}

// Contents are the packages of a layer, by the file that says so.
type Contents map[string][]Package

// largest is what is read of one file, in bytes: programs are smaller than that, and what
// lists packages is, too.
const largest = 512 << 20

// Of reads a layer as a tar: what Go programs were built of, and what npm, dpkg and apk
// have installed. A file that makes no sense is passed over.
func Of(layer io.Reader) (Contents, error) {
	found := Contents{}
	for in := tar.NewReader(layer); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading a layer: %w", err)
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		read := readerOf(name, h)
		if read == nil || h.Typeflag != tar.TypeReg || h.Size > largest {
			continue
		}
		packages, err := read(in)
		if err != nil {
			return nil, fmt.Errorf("reading %q of a layer: %w", name, err)
		}
		if len(packages) > 0 {
			found[name] = packages
		}
	}
}

var ofModule = regexp.MustCompile(`(^|/)node_modules/(@[^/]+/)?[^/]+/package\.json$`)

// readerOf returns what reads a file, or nil.
func readerOf(name string, h *tar.Header) func(io.Reader) ([]Package, error) {
	switch {
	case ofModule.MatchString(name):
		return npm
	case name == "var/lib/dpkg/status", path.Dir(name) == "var/lib/dpkg/status.d":
		return func(r io.Reader) ([]Package, error) { return paragraphs(r, "Package: ", "Version: ", "deb/debian") }
	case name == "lib/apk/db/installed":
		return func(r io.Reader) ([]Package, error) { return paragraphs(r, "P:", "V:", "apk/alpine") }
	case h.Mode&0o111 != 0:
		return program
	}
	return nil
}

// program reads what a Go program says of itself.
func program(r io.Reader) ([]Package, error) {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(4); string(magic) != "\x7fELF" {
		return nil, nil
	}
	content, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return nil, nil // of another language
	}
	version := strings.TrimPrefix(info.GoVersion, "go")
	version, _, _ = strings.Cut(version, " ") // what follows are experiments
	packages := []Package{{"stdlib", version, "pkg:golang/stdlib@" + version}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Version != "" { // or it is a folder of the project
			packages = append(packages, Package{m.Path, m.Version, "pkg:golang/" + m.Path + "@" + m.Version})
		}
	}
	return packages, nil
}

func npm(r io.Reader) ([]Package, error) {
	var said struct{ Name, Version string }
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(content, &said) != nil || said.Name == "" || said.Version == "" {
		return nil, nil
	}
	return []Package{{said.Name, said.Version, "pkg:npm/" + strings.Replace(said.Name, "@", "%40", 1) + "@" + said.Version}}, nil
}

// paragraphs reads a list of installed packages, with an empty line between two.
func paragraphs(r io.Reader, name, version, kind string) (packages []Package, err error) {
	var p Package
	end := func() {
		if p.Name != "" && p.Version != "" {
			p.URL = "pkg:" + kind + "/" + p.Name + "@" + strings.ReplaceAll(p.Version, "+", "%2B")
			packages = append(packages, p)
		}
		p = Package{}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			end()
		} else if text, ok := strings.CutPrefix(line, name); ok {
			p.Name = text
		} else if text, ok := strings.CutPrefix(line, version); ok {
			p.Version = text
		}
	}
	end()
	return packages, lines.Err()
}

// Packages returns what is in layers, the lowest first: a file counts as the highest one
// has it. They are sorted, each once.
func Packages(layers []Contents) []Package {
	all := Contents{}
	for _, layer := range layers {
		maps.Copy(all, layer)
	}
	var packages []Package
	for _, of := range all {
		packages = append(packages, of...)
	}
	slices.SortFunc(packages, func(a, b Package) int { return strings.Compare(a.URL, b.URL) })
	return slices.Compact(packages)
}
