package recipe

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"zr/pkg/fault"
)

// npm returns the files of the recipe's npm packages for this machine.
func (b *builder) npm(ctx context.Context, r Recipe) (tree, error) {
	t := tree{}
	supported := len(r.spec.Npm) == 0
	for _, n := range r.spec.Npm {
		if n.Arch != runtime.GOARCH {
			continue
		}
		supported = true
		key := keyOf("npm", n.Integrity)
		part := "npm " + n.Package
		b.progress.set(part, 0, 1, "downloading "+n.Package)
		dir, err := b.cache.part(ctx, "npm", key, func(path string) error { return fetchNpm(ctx, n, path) })
		if err != nil {
			return nil, fmt.Errorf("downloading npm package %s@%s: %w", n.Package, n.Version, err)
		}
		b.progress.set(part, 1, 1, n.Package+" is downloaded")
		files, err := readDir(dir)
		if err != nil {
			return nil, err
		}
		for from, to := range n.Files {
			file, ok := files[from]
			if !ok {
				return nil, fmt.Errorf("npm package %s@%s has no file %q", n.Package, n.Version, from)
			}
			file.header.Mode = 0o644
			if strings.HasPrefix(from, "bin/") {
				file.header.Mode = 0o755
			}
			t[to] = file
		}
	}
	if !supported {
		return nil, fmt.Errorf("the recipe has no npm package for %s", runtime.GOARCH)
	}
	return t, nil
}

// fetchNpm gets one package through the npm client, so that the user's registry, proxy
// and credentials apply. It unpacks the files that the recipe takes once the package
// proves to be the pinned one.
func fetchNpm(ctx context.Context, n npmSpec, to string) error {
	work := filepath.Dir(to)
	err := run(ctx, command{
		name: "npm", dir: work,
		args: []string{"pack", n.Package + "@" + n.Version, "--pack-destination", work, "--silent", "--ignore-scripts"},
		env:  []string{"npm_config_update_notifier=false", "npm_config_cache=" + filepath.Join(work, "npm-cache")},
	})
	if err != nil {
		return fault.Hint(err, "Node.js 20 or newer with npm must be installed, and its registry reachable")
	}
	archives, err := filepath.Glob(filepath.Join(work, "*.tgz"))
	if err != nil {
		return err
	}
	if len(archives) != 1 {
		return fmt.Errorf("npm pack wrote %d archives", len(archives))
	}
	if err := checkIntegrity(archives[0], n.Integrity); err != nil {
		return err
	}
	return unpackNpm(archives[0], n.Files, to)
}

func checkIntegrity(archive, want string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != want {
		return fault.Hint(fmt.Errorf("its integrity is %s, and the recipe wants %s", got, want),
			"something between here and the package's author changed it: use another registry")
	}
	return nil
}

// unpackNpm writes the wanted files; npm puts all below one folder.
func unpackNpm(archive string, wanted map[string]string, to string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for r := tar.NewReader(unzipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, _ := strings.Cut(cleanPath(header.Name), "/")
		if _, ok := wanted[name]; !ok || header.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeFrom(filepath.Join(to, filepath.FromSlash(name)), r); err != nil {
			return err
		}
	}
}

func writeFrom(name string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, r); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
