package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	containerdimages "github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/platforms"
	"github.com/opencontainers/image-spec/identity"
	"go.etcd.io/bbolt"
)

var references = []string{"registry/kube-apiserver:v1", "registry/kube-proxy:v1", "registry/coredns/coredns:v1", "registry/pause:3.10", "registry/pause:3.10.2"}

// A containerd that opens the seeded store finds the images unpacked, and
// collects none of what they need as garbage.
func TestSeed(t *testing.T) {
	b := seeded(t)
	root := b.node("var/lib/containerd")
	ctx := namespaces.WithNamespace(context.Background(), "k8s.io")
	store, err := local.NewStore(filepath.Join(root, "io.containerd.content.v1.content"))
	if err != nil {
		t.Fatal(err)
	}
	overlayfs, err := overlay.NewSnapshotter(filepath.Join(root, "io.containerd.snapshotter.v1.overlayfs"))
	if err != nil {
		t.Fatal(err)
	}
	defer overlayfs.Close()
	bolt, err := bbolt.Open(filepath.Join(root, "io.containerd.metadata.v1.bolt/meta.db"), 0o644, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := metadata.NewDB(bolt, store, map[string]snapshots.Snapshotter{snapshotter: overlayfs})
	defer db.Close()
	if err := db.Init(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := db.GarbageCollect(ctx); err != nil {
		t.Fatal(err)
	}
	var links []string
	for _, n := range []string{"1", "2", "3", "4"} {
		link, _ := os.Readlink(filepath.Join(root, "io.containerd.snapshotter.v1.overlayfs/snapshots", n, "fs"))
		links = append(links, path.Base(link))
	}
	if !slices.Equal(links, []string{"kube", "iptables", "coredns", "pause"}) {
		t.Errorf("the snapshots lead to %v", links)
	}
	for _, reference := range references {
		image, err := metadata.NewImageStore(db).Get(ctx, reference)
		if err != nil {
			t.Fatal(err)
		}
		if image.Labels["io.cri-containerd.pinned"] != "pinned" {
			t.Errorf("%s is not pinned", reference)
		}
		layers, err := containerdimages.RootFS(ctx, db.ContentStore(), must(image.Config(ctx, db.ContentStore(), platforms.All))(t))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := db.Snapshotter(snapshotter).Stat(ctx, identity.ChainID(layers).String()); err != nil || info.Kind != snapshots.KindCommitted {
			t.Errorf("%s: snapshot %+v, %v", reference, info, err)
		}
	}
}

func TestSeedIsReproducible(t *testing.T) {
	pack := func() []byte {
		var out bytes.Buffer
		if err := writeTar(&out, seeded(t).node("var")); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	if !bytes.Equal(pack(), pack()) {
		t.Error("two stores with the same images differ")
	}
}

func TestUnknownImage(t *testing.T) {
	b := build{out: t.TempDir()}
	if err := b.seed(context.Background(), []string{"registry/surprise:v1"}); err == nil || !strings.Contains(err.Error(), "surprise") {
		t.Errorf("err = %v", err)
	}
}

// Where the kernel mounts no overlay on the layers, they are copied, and a
// node that was stopped meanwhile goes on.
func TestFirstLayers(t *testing.T) {
	tests := map[string]struct {
		mount   string // what mount(8) does
		prepare string
		want    []string // the snapshots that are copies
	}{
		"they stack":     {"exit 0", "", nil},
		"they do not":    {"exit 1", "", []string{"1", "2"}},
		"checked before": {"exit 1", ": >lib/zr-layers-checked", nil},
		"stopped while it copied": {"exit 1", "mkdir snapshots/1/fs.new; rm snapshots/2/fs; mkdir snapshots/2/fs.new; echo x >snapshots/2/fs.new/program",
			[]string{"1", "2"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			snapshots := filepath.Join(dir, "lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots")
			script := strings.ReplaceAll(firstLayers, "/var/lib", dir+"/lib")
			sh := func(text string) {
				cmd := exec.Command("sh", "-ec", text)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "PATH="+dir+"/bin:"+os.Getenv("PATH"))
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			sh(`mkdir -p layer bin "` + snapshots + `"; ln -s "` + snapshots + `" snapshots; echo x >layer/program
				for n in 1 2; do mkdir snapshots/$n; ln -s "$PWD/layer" snapshots/$n/fs; done
				printf '#!/bin/sh\n` + test.mount + `\n' >bin/mount; printf '#!/bin/sh\n' >bin/umount; chmod +x bin/*
				` + test.prepare)
			sh(script)
			var copies []string
			for _, n := range []string{"1", "2"} {
				fs := filepath.Join(snapshots, n, "fs")
				if content, err := os.ReadFile(filepath.Join(fs, "program")); err != nil || string(content) != "x\n" {
					t.Errorf("snapshot %s: %q, %v", n, content, err)
				}
				if info, err := os.Lstat(fs); err == nil && info.IsDir() {
					copies = append(copies, n)
				}
			}
			if !slices.Equal(copies, test.want) {
				t.Errorf("copies = %v, want %v", copies, test.want)
			}
		})
	}
}

func TestFirstNetwork(t *testing.T) {
	tests := map[string]struct {
		conf, prepare string
		want          string // the range; empty where there is none
	}{
		"the first node": {"  podSubnet: 10.244.0.0/16\n", "", "10.244.0.0/24"},
		"quoted, two":    {"  podSubnet: \"10.7.0.0/16,fd00::/56\"\n", "", "10.7.0.0/24"},
		"IPv6 alone":     {"  podSubnet: fd00::/56\n", "", ""},
		"too small":      {"  podSubnet: 10.0.0.0/25\n", "", ""},
		"a node that joins": {"  podSubnet: 10.244.0.0/16\n",
			"mkdir -p etc/kubernetes; : >etc/kubernetes/bootstrap-kubelet.conf", ""},
		"configured before": {"  podSubnet: 10.244.0.0/16\n", "mkdir -p etc/cni/net.d; echo '\"subnet\": \"1.2.3.0/24\"' >etc/cni/net.d/10-zr.conflist", "1.2.3.0/24"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			script := strings.NewReplacer("/etc/", dir+"/etc/", "/kind/", dir+"/kind/").Replace(firstNetwork)
			cmd := exec.Command("sh", "-ec", "mkdir kind; cat >kind/kubeadm.conf; "+test.prepare+"\n"+script)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader("kind: ClusterConfiguration\n"+test.conf)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			content, _ := os.ReadFile(filepath.Join(dir, "etc/cni/net.d/10-zr.conflist"))
			if (test.want == "") != (len(content) == 0) || !strings.Contains(string(content), test.want) {
				t.Errorf("conflist = %q, want %q", content, test.want)
			}
		})
	}
}

// Libraries are found through links, and the loader with them.
func TestClosure(t *testing.T) {
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Skip(err)
	}
	files := []string{strings.TrimPrefix(merged(shell), "/")}
	for _, glob := range []string{"libc.so.6", "ld-linux*", "libc-*.so", "ld-[0-9]*.so"} {
		for _, dir := range []string{"/usr/lib/*-linux-gnu/", "/usr/lib64/", "/usr/lib/"} {
			found, _ := filepath.Glob(dir + glob)
			for _, f := range found {
				files = append(files, strings.TrimPrefix(f, "/"))
			}
		}
	}
	name := filepath.Join(t.TempDir(), "root.tar")
	if out, err := exec.Command("tar", append([]string{"-cf", name, "-C", "/"}, files...)...).CombinedOutput(); err != nil {
		t.Skipf("packing this machine's libraries: %v: %s", err, out)
	}
	root, err := openRootfs(name)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	found, err := root.closure([]string{merged(shell)})
	if err != nil {
		t.Skipf("this machine's /bin/sh is not like Debian's: %v", err)
	}
	for _, part := range []string{"libc.so.6", "ld-linux"} {
		if !slices.ContainsFunc(found, func(at string) bool { return strings.Contains(at, part) }) {
			t.Errorf("%s is missing in %v", part, found)
		}
	}
	if _, err := root.closure([]string{"/usr/bin/no-such-program"}); err == nil {
		t.Error("a program that is not there was found")
	}
}

// seeded returns a build whose store has the images of references.
func seeded(t *testing.T) build {
	t.Helper()
	b := build{out: t.TempDir()}
	for _, layer := range []string{"kube", "iptables", "coredns", "pause"} {
		if err := writeFile(filepath.Join(b.out, "some", layersDir, layer, "program"), layer, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.seed(context.Background(), references); err != nil {
		t.Fatal(err)
	}
	return b
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
