package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/pkg/build"
)

// TestNext builds a Next.js application, which gives neither build id nor
// root nor output, in two folders with caches of their own.
func TestNext(t *testing.T) {
	if testing.Short() {
		t.Skip("two runs of next build take a minute")
	}
	a, b := copyFixture(t, "next"), copyFixture(t, "next")
	first, second := a.build(build.Release), b.build(build.Release)
	root := t.TempDir()
	names := unpack(t, first.Image, root)
	if first.Digest != second.Digest {
		other := t.TempDir()
		unpack(t, second.Image, other)
		t.Errorf("two folders gave %s and %s", first.Digest, second.Digest)
		for _, name := range differing(t, root, other) {
			t.Errorf("they differ in %s", name)
		}
	}
	for _, name := range []string{"app/server.js", "app/node_modules/next/package.json", "app/public/robots.txt"} {
		if !names[name] {
			t.Errorf("%s is not in the image", name)
		}
	}
	if c := configOf(t, first.Image); !slices.Equal(c.Entrypoint, []string{"node", "/app/server.js"}) || !slices.Contains(c.Env, "HOSTNAME=0.0.0.0") {
		t.Errorf("config = %+v", c)
	}
	if said := answer(t, first, root, "/health"); said["build"] != first.InputHash {
		t.Errorf("the service says %v, want build %s", said, first.InputHash)
	}

	t.Run("a change moves one small layer", func(t *testing.T) { nextChange(t, a, first) })
	t.Run("a failing build", func(t *testing.T) { nextFailure(t, a) })
	t.Run("cancelled", func(t *testing.T) { nextCancel(t, a) })
	t.Run("dev", func(t *testing.T) { nextDev(t, a) })
}

func nextChange(t *testing.T, s *service, before build.Result) {
	s.t = t
	s.write("app/greeting.js", "\"use client\";\n\nexport default function Greeting() {\n  return <h1>changed</h1>;\n}\n")
	after := s.build(build.Release)
	was, _ := before.Image.Layers()
	is, _ := after.Image.Layers()
	packages, _ := was[0].Digest()
	if now, _ := is[0].Digest(); now != packages {
		t.Errorf("the packages' layer changed from %s to %s", packages, now)
	}
	if size, _ := is[1].Size(); size > 8<<20 {
		t.Errorf("the output's layer has %d bytes", size)
	}
}

func nextFailure(t *testing.T, s *service) {
	s.write("app/greeting.js", "export default function Greeting( {\n")
	_, err := New(s.deps).Build(t.Context(), s.request(build.Release))
	if err == nil || !strings.HasPrefix(err.Error(), "next build: exit status 1: ") || !strings.Contains(err.Error(), "\nweb/app/greeting.js:2:1") {
		t.Errorf("err = %v", err)
	}
}

func nextCancel(t *testing.T, s *service) {
	s.write("app/greeting.js", "\"use client\";\n\nexport default function Greeting() {\n  return <h1>cancelled</h1>;\n}\n")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := New(s.deps).Build(ctx, s.request(build.Release))
		done <- err
	}()
	work, err := s.deps.WorkDir(s.request(build.Release))
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(work, "source", ".next")) { // next has begun
		select {
		case err := <-done:
			t.Fatalf("the build ended before next began: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	for running(work) {
		time.Sleep(time.Millisecond)
	}
}

// running reports whether a process works in a folder.
func running(dir string) bool {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	return slices.ContainsFunc(links, func(link string) bool {
		at, err := os.Readlink(link)
		return err == nil && strings.HasPrefix(at, dir)
	})
}

func nextDev(t *testing.T, s *service) {
	s.t = t
	r := s.build(build.Dev)
	want := `ZR_AGENT_SPEC={"dir":"/app/src","command":["node","/app/node_modules/next/dist/bin/next","dev"],"standIn":true}`
	if c := configOf(t, r.Image); !slices.Contains(c.Env, want) {
		t.Errorf("config = %+v", c)
	}
}

// differing names the files that two folders do not have alike.
func differing(t *testing.T, a, b string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(a, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, _ := filepath.Rel(a, path)
		x, _ := os.ReadFile(path)
		y, err := os.ReadFile(filepath.Join(b, rel))
		if err != nil || string(x) != string(y) {
			names = append(names, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
