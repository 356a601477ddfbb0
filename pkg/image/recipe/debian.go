package recipe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// rootfs is a root file system of Debian packages, complete as dpkg left it.
// Layers leave out what a container never uses.
type rootfs struct {
	path    string // of its tar
	key     string
	suite   string
	tree    tree
	without []string // what layers leave out, of this recipe and the one below
	keep    []string
}

// everywhere is left out of every layer: what only a person at a terminal or
// a package manager would use, and what engines make anew in each container.
// Licences stay.
var everywhere = []string{
	"dev/*", "run/*", "tmp/*", "boot",
	"etc/apt", "etc/dpkg", "etc/hostname", "etc/resolv.conf", "etc/.pwd.lock", "etc/*-",
	"usr/share/doc/*/*", "usr/share/doc-base", "usr/share/info", "usr/share/lintian", "usr/share/linda",
	"usr/share/locale/*", "usr/share/man", "usr/share/bash-completion", "usr/share/bug",
	"usr/share/zoneinfo/right", "usr/share/zoneinfo/posix",
	"var/cache/*", "var/log/*",
	"var/lib/apt", "var/lib/dpkg/info", "var/lib/dpkg/*-old", "var/lib/dpkg/lock*",
	"var/lib/dpkg/available", "var/lib/dpkg/triggers", "var/lib/dpkg/updates", "var/lib/systemd/deb-systemd-*",
}

// licences are kept of the documentation. locale.alias is read by localedef.
var licences = []string{"usr/share/doc/*/copyright", "usr/share/locale/locale.alias"}

// rootfs makes the root file systems of a recipe and of the one that it goes
// on; own is nil where the recipe adds no packages.
func (b *builder) rootfs(ctx context.Context, r Recipe) (parent, own *rootfs, err error) {
	if r.parent != nil {
		if parent, err = b.makeRootfs(ctx, *r.parent, nil); err != nil {
			return nil, nil, err
		}
	}
	if r.spec.Debian != nil {
		own, err = b.makeRootfs(ctx, r, parent)
	}
	return parent, own, err
}

// makeRootfs installs the packages of one recipe on those of its parent.
func (b *builder) makeRootfs(ctx context.Context, r Recipe, parent *rootfs) (*rootfs, error) {
	d := r.spec.Debian
	root := &rootfs{suite: d.Suite, without: slices.Concat(everywhere, d.Without), keep: slices.Concat(licences, d.Keep)}
	parentKey := ""
	if parent != nil {
		parentKey, root.suite = parent.key, parent.suite
		root.without = slices.Concat(parent.without, d.Without)
		root.keep = slices.Concat(parent.keep, d.Keep)
	}
	root.key = keyOf("rootfs", format, runtime.GOARCH, root.suite, fmt.Sprint(d.Packages), fmt.Sprint(d.Run),
		fmt.Sprint(r.spec.Users), parentKey)
	var err error
	root.path, err = b.cache.part(ctx, "rootfs", root.key, func(path string) error {
		return b.bootstrap(ctx, r, root, parent, path)
	})
	if err != nil {
		return nil, fmt.Errorf("installing Debian packages: %w", err)
	}
	root.tree, err = readTar(root.path)
	return root, err
}

// bootstrap runs mmdebstrap, which writes the tar to path.
func (b *builder) bootstrap(ctx context.Context, r Recipe, root, parent *rootfs, path string) error {
	if err := b.ensureMmdebstrap(ctx); err != nil {
		return err
	}
	args := []string{
		"--verbose", "--format=tar",
		"--include=" + strings.Join(r.spec.Debian.Packages, ","),
		`--aptopt=Acquire::Languages "none"`,
		`--aptopt=Acquire::Retries "3"`,
	}
	if parent == nil {
		// Without the hook that makes /bin and the like symlinks from the start,
		// a package that does so later is installed, and Perl with it.
		args = append(args, "--variant=essential", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
			"--skip=cleanup/apt/lists") // those who go on it install from the same lists
	} else {
		args = append(args, "--variant=custom", "--skip=update",
			"--setup-hook="+unpack(parent.path, "--exclude=./dev/*"))
	}
	if len(r.spec.Users) > 0 {
		accounts, err := accountFiles(parent.tree, r.spec.Users)
		if err != nil {
			return err
		}
		name := filepath.Join(filepath.Dir(path), "accounts.tar")
		if err := writeTar(name, accounts); err != nil {
			return err
		}
		args = append(args, "--setup-hook="+unpack(name))
	}
	for _, command := range r.spec.Debian.Run {
		args = append(args, `--customize-hook=chroot "$1" sh -ec `+quote(command))
	}
	args = append(args, root.suite, path)
	mirrors, err := hostMirrors(ctx, root.suite)
	if err != nil {
		return err
	}
	args = append(args, mirrors...)

	p := packageCounter{progress: b.progress, part: "debian " + r.name}
	err = run(ctx, command{
		name: "mmdebstrap", args: args, dir: filepath.Dir(path), mounts: true, line: p.line,
		env: []string{
			"SOURCE_DATE_EPOCH=" + strconv.FormatInt(sourceDate.Unix(), 10),
			"TMPDIR=" + filepath.Dir(path),
			"LC_ALL=C.UTF-8",
			"DEBIAN_FRONTEND=noninteractive",
		},
	})
	p.finish()
	return err
}

// unpack returns the shell command of a hook that unpacks a tar into the new
// root file system.
func unpack(name string, flags ...string) string {
	return `tar -C "$1" --numeric-owner --xattrs --xattrs-include="*" ` + quoteAll(flags) + " -xpf " + quote(name)
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func quoteAll(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return strings.Join(quoted, " ")
}

func writeTar(name string, t tree) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := t.write(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// debianLayer is the layer that a recipe's packages make on those of the
// recipe below, nil where there is none. What was installed stands in
// etc/zr/packages.lock.
func (b *builder) debianLayer(ctx context.Context, r Recipe, root, below *rootfs) (namedLayer, error) {
	key := keyOf("debian", root.key, fmt.Sprint(root.without), fmt.Sprint(root.keep))
	about := "Debian packages of recipe " + r.name
	return b.layer(ctx, about, key, func() (tree, error) {
		packages, err := installed(root.tree)
		if err != nil {
			return nil, err
		}
		layer := root.tree.without(root.without, root.keep)
		var under tree
		if below != nil {
			under = below.tree.without(below.without, below.keep)
			layer = layer.since(under)
		}
		layer["etc/zr/packages.lock"] = fileNode(0o644, packages)
		// Parents that were left out are made again for what is kept in them.
		return layer, layer.addParents(root.tree)
	})
}

// installed returns "name=version" of every package, a line each, sorted.
func installed(root tree) ([]byte, error) {
	status, err := root.read("var/lib/dpkg/status")
	if err != nil {
		return nil, err
	}
	var lines []string
	name := ""
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "Package: "); ok {
			name = strings.TrimSpace(value)
		}
		if value, ok := strings.CutPrefix(line, "Version: "); ok {
			lines = append(lines, name+"="+strings.TrimSpace(value)+"\n")
		}
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "")), nil
}

// packageCounter reads what mmdebstrap says.
type packageCounter struct {
	progress *progress
	part     string
	total    atomic.Int64
	done     atomic.Int64
}

var (
	newlyInstalled = regexp.MustCompile(`(\d+) newly installed`)
	settingUp      = regexp.MustCompile(`^Setting up (\S+)`)
	getting        = regexp.MustCompile(`^Get:\d+ \S+ \S+ \S+ (\S+) `)
)

func (p *packageCounter) line(text string) bool {
	switch {
	case newlyInstalled.MatchString(text):
		n, _ := strconv.ParseInt(newlyInstalled.FindStringSubmatch(text)[1], 10, 64)
		p.progress.set(p.part, p.done.Load(), p.total.Add(n), "downloading Debian packages")
	case getting.MatchString(text):
		p.progress.set(p.part, p.done.Load(), p.total.Load(), "downloading "+getting.FindStringSubmatch(text)[1])
	case settingUp.MatchString(text):
		p.progress.set(p.part, p.done.Add(1), p.total.Load(), "installing "+settingUp.FindStringSubmatch(text)[1])
	}
	return false // apt's own order is what tells what a failure is about
}

// finish makes the count agree with itself, whatever lines were not known.
func (p *packageCounter) finish() {
	n := max(p.done.Load(), p.total.Load())
	p.progress.set(p.part, n, n, "Debian packages are installed")
}
