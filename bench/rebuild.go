package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"zr/internal/lab"
)

// leaf is the file of the api whose string is changed: a package that only the
// main program's tree imports, as in an ordinary edit.
const leaf = "internal/api/version.go"

// benchRebuild measures what a save costs before zr has anything to do with it.
func benchRebuild(b *bench) {
	dir := lab.Copy(b, ".")
	out := filepath.Join(b.TempDir(), "zr-api")
	var s sample
	for i := range 12 {
		edit(b, filepath.Join(dir, leaf), i)
		took := timed(func() { bareBuild(b, dir, out) })
		if i > 1 { // the first fill the cache
			s.add(took)
		}
	}
	info, err := os.Stat(out)
	b.must(err)
	row("go build ./cmd/zr-api after one changed string", s)
	fmt.Printf("  %-58s %.1f MB\n", "the program", float64(info.Size())/1e6)
	fmt.Printf("  %-58s %.1f MB\n", "its image", float64(imageBytes(b, dir))/1e6)
}

// imageBytes builds the image of the api of a copy of this repository, and returns how
// large it is.
func imageBytes(b *bench, dir string) int64 {
	b.must(os.WriteFile(filepath.Join(dir, "config", "dev.yaml"), []byte("project: zrbench-api\nservices:\n  api:\n    build: {go: ./cmd/zr-api}\n"), 0o644))
	zr := func(into any, args ...string) {
		text := lab.Output(b, dir, filepath.Join(lab.Repository(b), "bin", "zr"), append(args, "-o", "json")...)
		b.must(json.Unmarshal([]byte(text), into))
	}
	var built []struct{ Name string }
	zr(&built, "images", "build")
	var stored []struct {
		Name string
		Size int64
	}
	zr(&stored, "images", "ls")
	for _, image := range stored {
		if len(built) == 1 && image.Name == built[0].Name {
			return image.Size
		}
	}
	b.Fatalf("the image of the api is not in the store: %v", built)
	return 0
}

// bareBuild is what zr runs, by hand.
func bareBuild(b *bench, dir, out string) {
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-ldflags=-s -w", "-o", out, "./cmd/zr-api")
	c.Dir = dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := c.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, text)
	}
}

// edit changes a string of the same length in a Go file, whole or not at all.
func edit(b *bench, path string, n int) {
	text, err := os.ReadFile(path)
	b.must(err)
	const marker = "\n\nvar benchMark = \""
	source, _, _ := strings.Cut(string(text), marker)
	source = strings.TrimRight(source, "\n")
	source += fmt.Sprintf("%s%08d\"\n\nfunc init() { mark(benchMark) }\n\nfunc mark(s string) { markLength += len(s) }\n\nvar markLength int\n", marker, n)
	b.must(os.WriteFile(path+"~", []byte(source), 0o644))
	b.must(os.Rename(path+"~", path))
}
