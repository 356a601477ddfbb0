package recipe

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/event"
	"zr/pkg/fault"
)

func TestParseMirrors(t *testing.T) {
	host := `Debian|http://mirror/debian/|bookworm|main
Debian|http://mirror/debian/|bookworm-updates|main
Debian|http://mirror/security/|bookworm-security|main
Debian|http://mirror/debian/|bookworm|main
Debian|http://mirror/debian/|bookworm|contrib
Vendor|http://vendor/|bookworm|main
`
	want := []string{
		"deb http://mirror/debian/ bookworm main",
		"deb http://mirror/debian/ bookworm-updates main",
		"deb http://mirror/security/ bookworm-security main",
	}
	if diff := cmp.Diff(want, parseMirrors(host, "bookworm")); diff != "" {
		t.Error(diff)
	}
	if got := parseMirrors(host, "trixie"); got != nil {
		t.Errorf("another suite: %v", got)
	}
	if got := parseMirrors("Debian|http://mirror/|bookworm-security|main\n", "bookworm"); got != nil {
		t.Errorf("without the suite itself: %v", got)
	}
}

func TestInstallCommand(t *testing.T) {
	tests := map[string]struct {
		ids     []string
		root    bool
		install string
		hint    string
	}{
		"root on Debian": {[]string{"debian"}, true, "apt-get install -y --no-install-recommends mmdebstrap debian-archive-keyring", ""},
		"root on Mint":   {[]string{"linuxmint", "ubuntu", "debian"}, true, "apt-get install -y --no-install-recommends mmdebstrap debian-archive-keyring", ""},
		"a user": {[]string{"ubuntu"}, false, "",
			"sudo apt-get update && sudo apt-get install -y --no-install-recommends mmdebstrap debian-archive-keyring uidmap"},
		"another system": {[]string{"fedora"}, true, "", "install mmdebstrap and debian-archive-keyring, or connect to a registry"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := installCommand(test.ids, test.root)
			if strings.Join(got, " ") != test.install || (err == nil) != (test.hint == "") || !strings.Contains(fault.HintOf(err), test.hint) {
				t.Errorf("installCommand = %q, %v (hint %q)", got, err, fault.HintOf(err))
			}
		})
	}
}

func TestAccountFiles(t *testing.T) {
	root := tree{
		"etc/passwd": fileNode(0o644, []byte("root:x:0:0:root:/root:/bin/bash\nredis:x:100:100::/:/bin/sh\n")),
		"etc/group":  fileNode(0o644, []byte("root:x:0:")),
	}
	got, err := accountFiles(root, []userSpec{{Name: "redis", ID: 999, Home: "/data", Shell: "/bin/sh"}, {Name: "app", ID: 1000, Home: "/app", Shell: "/bin/sh"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/bash\nredis:x:100:100::/:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n",
		"etc/group":  "root:x:0:\nredis:x:999:\napp:x:1000:\n",
	}
	for name, content := range want {
		text, err := got.read(name)
		if err != nil || string(text) != content {
			t.Errorf("%s = %q, %v", name, text, err)
		}
	}
	if len(got) != 2 {
		t.Errorf("there is no etc/shadow to add to, and yet: %v", got)
	}
}

func TestInstalled(t *testing.T) {
	root := tree{"var/lib/dpkg/status": fileNode(0o644, []byte("Package: b\nStatus: x\nVersion: 2:1-1\n\nPackage: a\nVersion: 1\nDescription: x\n Version: no\n"))}
	got, err := installed(root)
	if err != nil || string(got) != "a=1\nb=2:1-1\n" {
		t.Errorf("installed = %q, %v", got, err)
	}
}

func TestCounters(t *testing.T) {
	var last event.StepProgress
	sink := event.SinkFunc(func(e event.Event) { last = e.(event.StepProgress) })
	p := newProgress(sink, "images")
	debian := packageCounter{progress: p, part: "debian"}
	for _, line := range []string{
		"I: downloading packages with apt...",
		"0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.",
		"Get:1 http://mirror/debian bookworm/main amd64 libc6 amd64 2.36-9 [2,758 kB]",
		"Setting up libc6:amd64 (2.36-9) ...",
	} {
		debian.line(line)
	}
	debian.finish()
	compile := compileCounter{progress: p, part: "go", total: 2}
	for _, line := range []string{"k8s.io/api/core/v1", "# a/package", "a/file.go:1:2: undefined: x", "zr/kube"} {
		compile.line(line)
	}
	want := event.StepProgress{Step: "images", Done: 4, Total: 4, Unit: "packages", Detail: "linking"}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Error(diff)
	}
}

func TestUnpackSource(t *testing.T) {
	files := fstest.MapFS{
		"_src/go.mod.txt":       {Data: []byte("module x")},
		"_src/go.sum.txt":       {Data: []byte("sum")},
		"_src/cmd/main.go":      {Data: []byte("package main")},
		"_src/cmd/other.md.txt": {Data: []byte("text")},
		"recipe.yaml":           {Data: []byte("x")},
	}
	dir := t.TempDir()
	if err := unpackSource(files, "_src", dir); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pattern := range []string{"*", "*/*"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, f := range found {
			names = append(names, strings.TrimPrefix(f, dir+"/"))
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"cmd", "cmd/main.go", "cmd/other.md.txt", "go.mod", "go.sum"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestNpmArchive(t *testing.T) {
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	w := tar.NewWriter(zipped)
	for _, name := range []string{"package/bin/node", "package/include/node.h", "package/../../etc/passwd"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 3}); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, "abc")
	}
	_ = w.Close()
	_ = zipped.Close()
	dir := t.TempDir()
	name := filepath.Join(dir, "x.tgz")
	if err := os.WriteFile(name, archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(archive.Bytes())
	if err := checkIntegrity(name, "sha512-"+base64.StdEncoding.EncodeToString(sum[:])); err != nil {
		t.Error(err)
	}
	sum[0]++
	if err := checkIntegrity(name, "sha512-"+base64.StdEncoding.EncodeToString(sum[:])); err == nil {
		t.Error("another archive passed for the pinned one")
	}
	to := filepath.Join(dir, "out")
	if err := unpackNpm(name, map[string]string{"bin/node": "usr/local/bin/node"}, to); err != nil {
		t.Fatal(err)
	}
	files, err := readDir(to)
	if err != nil || len(files) != 2 || files["bin/node"].open == nil {
		t.Errorf("unpacked %v, %v", files, err)
	}
}

func TestRun(t *testing.T) {
	var lines []string
	err := run(context.Background(), command{
		name: "sh", args: []string{"-c", `printf 'one\r\ntwo\n'; echo "$X" >&2; exit 3`}, env: []string{"X=three"},
		line: func(text string) bool { lines = append(lines, text); return text == "two" },
	})
	if err == nil || !strings.Contains(err.Error(), "exit status 3:\none\nthree") {
		t.Errorf("err = %v", err)
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, lines); diff != "" {
		t.Error(diff)
	}
	if err := run(context.Background(), command{name: "no-such-program"}); err == nil || !strings.Contains(err.Error(), "is not installed") {
		t.Errorf("err = %v", err)
	}
}

func TestRunIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	err := run(ctx, command{name: "sh", args: []string{"-c", "echo started; exec sleep 1000"}, line: func(string) bool { cancel(why); return true }})
	if !errors.Is(err, why) {
		t.Errorf("err = %v", err)
	}
}

// TestPinnedGo: what the user's environment and project say about Go is not for
// the programs of an image.
func TestPinnedGo(t *testing.T) {
	project := t.TempDir()
	if err := os.WriteFile(filepath.Join(project, "go.mod"), []byte("module x\n\ngo 1.999\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(project)
	for name, value := range map[string]string{"GOTOOLCHAIN": "local", "GOOS": "plan9", "GOARCH": "386", "GOAMD64": "v3", "GOFLAGS": "-mod=nonsense"} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	if version, err := goVersion(t.Context(), dir); err != nil || !strings.HasPrefix(version, "go1.") {
		t.Errorf("goVersion = %q, %v", version, err)
	}
	var said []string
	err := run(t.Context(), command{
		name: "go", args: []string{"env", "GOOS", "GOARCH", "GOAMD64"}, dir: dir, env: goEnv,
		line: func(text string) bool { said = append(said, text); return true },
	})
	if want := []string{"linux", runtime.GOARCH, "v1"}; err != nil || !slices.Equal(said, want) {
		t.Errorf("programs are built for %q, %v", said, err)
	}
}
