package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// containerNode is a node that is a container of this machine.
type containerNode struct {
	engine, name string
	commands     int
}

func (n *containerNode) Name() string { return n.name }

func (n *containerNode) Run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	n.commands++
	cmd := exec.CommandContext(ctx, n.engine, append([]string{"exec", "-i", n.name}, args...)...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", args[0], err, stderr.String())
	}
	return nil
}

// realNode returns the node of a running kind cluster: the container that
// ZR_TEST_NODE names, in the engine that ZR_TEST_ENGINE names.
func realNode(t *testing.T) *containerNode {
	name := os.Getenv("ZR_TEST_NODE")
	if name == "" {
		t.Skip("ZR_TEST_NODE does not name the node container of a test cluster")
	}
	engine := os.Getenv("ZR_TEST_ENGINE")
	if engine == "" {
		engine = "podman"
	}
	return &containerNode{engine: engine, name: name}
}

func (n *containerNode) output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := n.Run(context.Background(), nil, &out, args...); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// program makes an image of a static Go program on a large base layer.
func program(t *testing.T, s *Store, base v1.Layer, source string) v1.Image {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "main")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", bin, filepath.Join(dir, "main.go"))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.NewLayer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	tw := tar.NewWriter(w)
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "main", Size: int64(len(content)), Mode: 0o755}); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.Config(imageOf(t, base, layer), v1.Config{Entrypoint: []string{"/main"}, User: "65532"})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

const helloSource = "package main\n\nvar run = %q\n\nfunc main() {\n\tif run != \"\" {\n\t\tprintln(%q)\n\t}\n}\n"

// TestRealNode loads images into the containerd of a real node and runs pods
// from them, by the very names that manifests use.
func TestRealNode(t *testing.T) {
	node, s := realNode(t), openStore(t)
	run := fmt.Sprintf("zrtest-image-%d", os.Getpid())
	var loaded []string
	t.Cleanup(func() {
		_ = node.Run(context.Background(), nil, io.Discard, kubectl("delete", "pod", "-l", "zrtest="+run, "--now", "--ignore-not-found")...)
		_ = node.Run(context.Background(), nil, io.Discard, append([]string{"ctr", "-n", namespace, "images", "rm", "--sync"}, loaded...)...)
	})
	// Content of this run only: what an earlier one left behind may still be
	// on the node.
	base := layerOf(t, s, "base", append(noise(40<<20), run...))
	load := func(items ...Item) Stats {
		t.Helper()
		for _, item := range items {
			full, err := Normalize(item.Name)
			if err != nil {
				t.Fatal(err)
			}
			loaded = append(loaded, full)
		}
		before := node.commands
		stats, err := Loader{}.Load(t.Context(), node, items...)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d images, %d layers, %d bytes in %s, %d commands", stats.Images, stats.Layers, stats.Bytes, stats.Took, node.commands-before)
		return stats
	}
	built := func(text string) Item {
		t.Helper()
		entry, err := s.PutPinned(t.Context(), LocalName(run, "hello"), program(t, s, base, fmt.Sprintf(helloSource, run, text)), Built, "")
		if err != nil {
			t.Fatal(err)
		}
		item, err := s.Item(t.Context(), entry.Name)
		if err != nil {
			t.Fatal(err)
		}
		return item
	}

	first := built("one")
	external := Item{Name: run + "/tagged:15", Image: imageOf(t, base, layerOf(t, s, "x", append(noise(1000), run...)))}
	if got := load(first, external); got.Layers != 3 {
		t.Errorf("first: %+v, want the base once and two layers", got)
	}
	if got := load(first, external); got.Bytes != 0 {
		t.Errorf("again: %+v, want nothing", got)
	}
	held, err := Has(t.Context(), node, first.Name, external.Name, "no-such-image:1")
	if err != nil || len(held) != 2 {
		t.Errorf("Has = %v, %v", held, err)
	}
	second := built("two")
	top, _ := second.Image.Layers()
	size, _ := top[1].Size()
	if got := load(second, external); got.Layers != 1 || got.Bytes > size+64<<10 {
		t.Errorf("changed: %+v, want one layer of %d bytes and at most 64 KiB", got, size)
	}
	for name, item := range map[string]Item{"one": first, "two": second} {
		node.output(t, kubectl("run", run+"-"+name, "--image="+item.Name, "--image-pull-policy=Never", "--restart=Never", "--labels=zrtest="+run)...)
		node.output(t, kubectl("wait", "pod/"+run+"-"+name, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")...)
		if got := node.output(t, kubectl("logs", run+"-"+name)...); strings.TrimSpace(got) != name {
			t.Errorf("pod %s says %q", name, got)
		}
	}
	t.Run("lost content", func(t *testing.T) { lostContent(t, node, s, load, built) })
}

// lostContent: the node has the name, but not the base layer that a new image
// builds on, as after CRI discarded what it unpacked.
func lostContent(t *testing.T, node *containerNode, s *Store, load func(...Item) Stats, built func(string) Item) {
	third := built("three")
	layers, err := third.Image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	node.output(t, "ctr", "-n", namespace, "content", "rm", digestStr(t, layers[0]))
	if got := load(third); got.Layers != 2 {
		t.Errorf("%+v, want the base sent again", got)
	}
	out := node.output(t, "ctr", "-n", namespace, "images", "check", fmt.Sprintf("name==%q", third.Name))
	if !strings.Contains(out, "complete (3/3)") {
		t.Errorf("the image is not complete:\n%s", out)
	}
}

func kubectl(args ...string) []string {
	return append([]string{"kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"}, args...)
}

// TestRealNodeCancel leaves a load in the middle.
func TestRealNodeCancel(t *testing.T) {
	node, s := realNode(t), openStore(t)
	img := imageOf(t, layerOf(t, s, "base", noise(200<<20)))
	ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
	defer cancel()
	name := fmt.Sprintf("localhost/zrtest-cancel-%d/x:1", os.Getpid())
	_, err := Loader{}.Load(ctx, node, Item{name, img})
	if err == nil {
		_ = node.Run(context.Background(), nil, io.Discard, "ctr", "-n", namespace, "images", "rm", name)
		t.Skip("the load was done before it was cancelled")
	}
	if !strings.Contains(err.Error(), "deadline") {
		t.Errorf("err = %v, want the deadline", err)
	}
	if held, err := Has(t.Context(), node, name); err != nil || len(held) != 0 {
		t.Errorf("after the cancel the node knows %v, %v", held, err)
	}
}
