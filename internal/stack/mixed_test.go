package stack

import (
	"io"
	"log"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/internal/testkit"
	"zr/pkg/cluster"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/event"
)

// TestMixedNodes builds for the nodes of a real API server, which are of two kinds, and
// has each of them find its image by the one name that the manifest gets.
func TestMixedNodes(t *testing.T) {
	cfg := kubetest.Server(t) // of its own: others want no nodes that there are not
	for _, arch := range []string{"amd64", "arm64"} {
		node := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": arch},
			"status": map[string]any{"nodeInfo": map[string]any{"operatingSystem": "linux", "architecture": arch}}}}
		if _, err := kubetest.Client(t, cfg, "", "v1", "nodes").Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	host := strings.TrimPrefix(server.URL, "http://")
	files := testkit.Project("project: tiny\ncluster: {provider: context, context: team, registry: " + host + "/tiny}\nservices:\n  web: {build: {go: .}}\n")
	files["kustomize/overlays/dev/all.yaml"] = strings.NewReplacer("type: NodePort, ", "", ", nodePort: 30080", "", ", nodePort: 30081", "", "example/web:1", "web").Replace(testkit.Overlay)
	files["go.mod"], files["main.go"] = "module tiny\n\ngo 1.21\n", "package main\n\nfunc main() {}\n"
	s := stackOf(t, files)
	told := &testkit.Recorder{}
	s.sink = told
	p, err := s.render(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	on, err := p.connect(nil, &cluster.Cluster{Name: "team", Context: "team", Client: kubetest.Connect(t, cfg)})
	if err != nil {
		t.Fatal(err)
	}
	if on.platforms, err = p.choosePlatforms(t.Context(), on.cluster); err != nil {
		t.Fatal(err)
	}
	p = p.onPlatforms(on.platforms)
	built, _, err := p.build(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.pin(t.Context(), built, nil); err != nil {
		t.Fatal(err)
	}
	named, err := p.rendered.Manifests()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.pin(t.Context(), built, on); err != nil {
		t.Fatal(err)
	}
	pushed, err := p.rendered.Manifests()
	if err != nil || string(pushed) != string(named) {
		t.Errorf("what is pushed is not what a diff says (%v):\n%s\n%s", err, pushed, named)
	}
	_, rest, _ := strings.Cut(string(pushed), "image: ")
	image, _, _ := strings.Cut(rest, "\n")
	pinned, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := remote.Image(pinned, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
		if err != nil {
			t.Fatal(err)
		}
		if config, err := img.ConfigFile(); err != nil || config.Architecture != arch {
			t.Errorf("a node of %s is given an image for %v (%v)", arch, config, err)
		}
	}
	for _, e := range told.Events() {
		if notice, ok := e.(event.Notice); ok {
			t.Errorf("it says %q", notice.Text)
		}
	}
}
