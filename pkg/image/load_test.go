package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// memoryNode is a node that keeps its content in memory and speaks for ctr as
// far as the load script goes: it lists, imports OCI archives whose parts it
// may have already, and checks.
type memoryNode struct {
	mu       sync.Mutex
	content  map[string][]byte
	images   map[string]string
	received int64
	commands int
	loses    string // a blob that is listed but turns out to be gone
	broken   error  // what every command fails with
}

func newMemoryNode() *memoryNode {
	return &memoryNode{content: map[string][]byte{}, images: map[string]string{}}
}

func (n *memoryNode) Name() string { return "memory" }

func (n *memoryNode) Run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.commands++
	if n.broken != nil {
		return n.broken
	}
	if args[0] == "ctr" {
		n.list(stdout)
		return nil
	}
	n.list(stdout)
	for digest := range n.content {
		fmt.Fprintln(stdout, digest)
	}
	fmt.Fprintln(stdout, markListed)
	if n.loses != "" {
		delete(n.content, n.loses)
		n.loses = ""
	}
	in := bufio.NewReader(stdin)
	if word, _ := in.ReadString('\n'); word != "import\n" {
		return nil
	}
	err := n.importArchive(in)
	if err != nil {
		fmt.Fprintln(stdout, "ctr:", err)
	}
	fmt.Fprintln(stdout, markImported)
	if err == nil {
		fmt.Fprintln(stdout, "REF TYPE DIGEST STATUS SIZE UNPACKED")
		for name, digest := range n.images {
			fmt.Fprintf(stdout, "%s manifest %s complete (2/2) 1.0 KiB/1.0 KiB true\n", name, digest)
		}
		fmt.Fprintln(stdout, markChecked)
	}
	return nil
}

func (n *memoryNode) list(w io.Writer) {
	fmt.Fprintln(w, "REF TYPE DIGEST SIZE PLATFORMS LABELS")
	for name, digest := range n.images {
		fmt.Fprintf(w, "%s application/vnd.oci.image.manifest.v1+json %s 1.0 KiB linux/amd64 -\n", name, digest)
	}
}

func (n *memoryNode) importArchive(r io.Reader) error {
	var index v1.IndexManifest
	tr := tar.NewReader(io.TeeReader(r, writerFunc(func(p []byte) (int, error) { n.received += int64(len(p)); return len(p), nil })))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return err
		}
		if digest, ok := strings.CutPrefix(h.Name, "blobs/sha256/"); ok {
			if got, _, _ := v1.SHA256(bytes.NewReader(data)); got.Hex != digest {
				return fmt.Errorf("blob %s has content %s", digest, got)
			}
			n.content["sha256:"+digest] = data
		} else if h.Name == indexFile {
			if err := json.Unmarshal(data, &index); err != nil {
				return err
			}
		}
	}
	for _, desc := range index.Manifests {
		var manifest v1.Manifest
		if err := json.Unmarshal(n.content[desc.Digest.String()], &manifest); err != nil {
			return fmt.Errorf("content digest %s: not found", desc.Digest)
		}
		for _, part := range append(manifest.Layers, manifest.Config) {
			if _, ok := n.content[part.Digest.String()]; !ok {
				return fmt.Errorf("content digest %s: not found", part.Digest)
			}
		}
		n.images[desc.Annotations[annotationName]] = desc.Digest.String()
	}
	return nil
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestLoadSendsOnlyWhatIsMissing(t *testing.T) {
	s, node := openStore(t), newMemoryNode()
	base := layerOf(t, s, "base", kilobytes(500, 'b'))
	load := func(images ...v1.Image) Stats {
		t.Helper()
		var items []Item
		for i, img := range images {
			items = append(items, Item{Name: fmt.Sprintf("localhost/shop/s%d@%s", i, digestStr(t, img)), Image: img})
		}
		stats, err := Loader{}.Load(t.Context(), node, items...)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if node.images[item.Name] != digestStr(t, item.Image) {
				t.Errorf("the node does not know %s", item.Name)
			}
		}
		return stats
	}

	a, b := imageOf(t, base, layerOf(t, s, "a", kilobytes(10, 1))), imageOf(t, base, layerOf(t, s, "b", kilobytes(10, 2)))
	if got := load(a, b); got.Layers != 3 || got.Images != 2 || got.Bytes > 540<<10 {
		t.Errorf("first load: %+v; want the base once and two layers", got)
	}
	if got := load(a, b); got.Bytes != 0 || got.Images != 0 {
		t.Errorf("second load: %+v; want nothing", got)
	}
	changed := imageOf(t, base, layerOf(t, s, "a", kilobytes(10, 3)))
	if got := load(changed, b); got.Layers != 1 || got.Images != 1 || got.Bytes > 74<<10 {
		t.Errorf("one layer changed: %+v; want it and at most 64 KiB", got)
	}
	if node.commands != 3 {
		t.Errorf("%d commands on the node, want one for each load", node.commands)
	}
}

// TestLoadRepairs loses a blob between the list and the import, as containerd's
// garbage collector may.
func TestLoadRepairs(t *testing.T) {
	s, node := openStore(t), newMemoryNode()
	base := layerOf(t, s, "base", kilobytes(100, 'b'))
	first, second := imageOf(t, base), imageOf(t, base, layerOf(t, s, "a", kilobytes(1, 1)))
	if _, err := (Loader{}).Load(t.Context(), node, Item{"localhost/shop/a:1", first}); err != nil {
		t.Fatal(err)
	}
	node.loses = digestStr(t, base)
	stats, err := Loader{}.Load(t.Context(), node, Item{"localhost/shop/a:2", second})
	if err != nil {
		t.Fatal(err)
	}
	if node.images["localhost/shop/a:2"] != digestStr(t, second) || stats.Layers != 3 {
		t.Errorf("stats = %+v, want one layer and then both", stats)
	}
}

func TestLoadFails(t *testing.T) {
	s, node := openStore(t), newMemoryNode()
	item := Item{"localhost/shop/a:1", imageOf(t, layerOf(t, s, "base", kilobytes(100, 'b')))}
	node.broken = errors.New("no such container")
	if _, err := (Loader{}).Load(t.Context(), node, item); err == nil || !strings.Contains(err.Error(), `node "memory": no such container`) {
		t.Errorf("err = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Loader{}).Load(ctx, newMemoryNode(), item); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want a cancelled context", err)
	}
}

func TestHas(t *testing.T) {
	s, node := openStore(t), newMemoryNode()
	img := imageOf(t, layerOf(t, s, "base", kilobytes(1, 'b')))
	if _, err := (Loader{}).Load(t.Context(), node, Item{"postgres:15", img}); err != nil {
		t.Fatal(err)
	}
	held, err := Has(t.Context(), node, "postgres:15", "redis:7")
	if err != nil || len(held) != 1 || held["postgres:15"] != digestStr(t, img) {
		t.Errorf("Has = %v, %v", held, err)
	}
}
