package testcluster

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// AppImage is the reference of the image that LoadApp puts on the nodes. Its
// entry point is the program in testdata/app; args are its flags.
const AppImage = "localhost/zrtest/app:1"

// LoadApp builds the test's image and loads it into every node of a kind
// cluster, by the engine that ZR_TEST_ENGINE names (default podman).
func (c *Cluster) LoadApp() {
	c.t.Helper()
	archive := filepath.Join(c.t.TempDir(), "app.tar")
	if err := os.WriteFile(archive, c.imageArchive(), 0o600); err != nil {
		c.t.Fatal(err)
	}
	engine := os.Getenv("ZR_TEST_ENGINE")
	if engine == "" {
		engine = "podman"
	}
	for _, node := range c.nodes() {
		f, err := os.Open(archive)
		if err != nil {
			c.t.Fatal(err)
		}
		cmd := exec.Command(engine, "exec", "-i", node, "ctr", "-n", "k8s.io", "images", "import", "-")
		cmd.Stdin = f
		out, err := cmd.CombinedOutput()
		f.Close()
		if err != nil {
			c.t.Fatalf("loading the image into node %s: %v: %s", node, err, out)
		}
	}
}

func (c *Cluster) nodes() []string {
	c.t.Helper()
	var list struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	if err := json.Unmarshal(c.Do(http.MethodGet, "/api/v1/nodes", ""), &list); err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, n := range list.Items {
		names = append(names, n.Metadata.Name)
	}
	return names
}

// imageArchive returns an image in the format of docker save: one layer with
// one static binary.
func (c *Cluster) imageArchive() []byte {
	c.t.Helper()
	binary := filepath.Join(c.t.TempDir(), "app")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", binary, "zr/pkg/health/testcluster/testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		c.t.Fatalf("building the test's app: %v: %s", err, out)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		c.t.Fatal(err)
	}
	layer := c.tar(map[string][]byte{"app": program})
	config := c.json(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/app"}, "User": "65532:65532"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(layer)}},
	})
	manifest := c.json([]map[string]any{{"Config": "config.json", "RepoTags": []string{AppImage}, "Layers": []string{"layer.tar"}}})
	return c.tar(map[string][]byte{"layer.tar": layer, "config.json": config, "manifest.json": manifest})
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (c *Cluster) json(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func (c *Cluster) tar(files map[string][]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			c.t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
	return b.Bytes()
}
