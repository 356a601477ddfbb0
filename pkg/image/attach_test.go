package image

import (
	"archive/tar"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"zr/pkg/image/bom"
)

// attached returns the digests of what a registry has about an image, by its type, and
// the content of each.
func attached(t *testing.T, ref string) (digests, contents map[string]string) {
	t.Helper()
	pinned, err := name.NewDigest(ref)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Referrers(pinned)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	digests, contents = map[string]string{}, map[string]string{}
	for _, about := range manifest.Manifests {
		img, err := remote.Image(pinned.Context().Digest(about.Digest.String()))
		if err != nil {
			t.Fatal(err)
		}
		layers, err := img.Layers()
		if err != nil || len(layers) != 1 {
			t.Fatalf("%s has %d layers (%v)", about.ArtifactType, len(layers), err)
		}
		content, err := layers[0].Compressed()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		digests[about.ArtifactType], contents[about.ArtifactType] = about.Digest.String(), string(text)
	}
	return digests, contents
}

// TestWhatIsPushedSaysWhatIsInIt has registries with a list of referrers and without one,
// where it is a tag, and the same image from another machine.
func TestWhatIsPushedSaysWhatIsInIt(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if said, err := exec.Command("go", "build", "-o", program, "zr/cmd/zr-agent").CombinedOutput(); err != nil { // which has modules
		t.Fatalf("%v\n%s", err, said)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for what, options := range map[string][]registry.Option{
		"with a list of referrers": {registry.WithReferrersSupport(true)}, "without one": nil,
	} {
		t.Run(what, func(t *testing.T) {
			server := httptest.NewServer(registry.New(append(options, registry.Logger(log.New(io.Discard, "", 0)))...))
			t.Cleanup(server.Close)
			repository := strings.TrimPrefix(server.URL, "http://") + "/shop/api"
			push := func(made *bom.Build) (ref string) {
				s := openStore(t)
				img := imageOf(t, programOf(t, s, content))
				ref, _, err := Pusher{Store: s, Made: made}.Push(t.Context(), img, repository, "zr-1")
				if err != nil {
					t.Fatal(err)
				}
				return ref
			}
			made := &bom.Build{Service: "api", Project: "shop", Spec: map[string]string{"go": "./cmd/api"}, Inputs: "0123456789abcdef"}
			ref := push(made)
			digests, contents := attached(t, ref)
			if len(digests) != 2 {
				t.Fatalf("attached are %v", digests)
			}
			_, digest, _ := strings.Cut(ref, "@sha256:")
			for about, want := range map[string][]string{
				bom.SPDXType:      {`"spdxVersion":"SPDX-2.3"`, `"checksumValue":"` + digest, `pkg:golang/github.com/klauspost/compress@v`, `pkg:golang/stdlib@1.`},
				bom.StatementType: {`"https://in-toto.io/Statement/v1"`, `"https://slsa.dev/provenance/v1"`, `"sha256":"` + digest, `"go":"./cmd/api"`, "0123456789abcdef", "linux/amd64"},
			} {
				for _, text := range want {
					if !strings.Contains(contents[about], text) || !json.Valid([]byte(contents[about])) {
						t.Errorf("%s lacks %s:\n%.2000s", about, text, contents[about])
					}
				}
			}
			remove(t, ref)
			if again := push(made); again != ref {
				t.Fatalf("from another machine it is %s, and was %s", again, ref)
			}
			same, _ := attached(t, ref)
			for about, digest := range digests {
				if same[about] != digest || len(same) != 2 {
					t.Errorf("from another machine are attached %v, and were %v", same, digests)
				}
			}
		})
	}
}

// programOf makes a layer of a program.
func programOf(t *testing.T, s *Store, content []byte) v1.Layer {
	t.Helper()
	w, err := s.NewLayer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	files := tar.NewWriter(w)
	if err := files.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "app/api", Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// remove takes an image out of its repository, and leaves what is about it.
func remove(t *testing.T, ref string) {
	t.Helper()
	pinned, err := name.NewDigest(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Delete(pinned); err != nil {
		t.Fatal(err)
	}
}

// TestNothingIsAttachedUnasked pushes as a reload does.
func TestNothingIsAttachedUnasked(t *testing.T) {
	s, reg := openStore(t), newRegistry(t)
	ref, _, err := Pusher{Store: s}.Push(t.Context(), imageOf(t, layerOf(t, s, "a", noise(10<<10))), reg.host+"/shop/api", "zr-1")
	if err != nil {
		t.Fatal(err)
	}
	if digests, _ := attached(t, ref); len(digests) > 0 {
		t.Errorf("attached are %v", digests)
	}
}

// TestPackagesOfALayerAreKept, so that a base is read once.
func TestPackagesOfALayerAreKept(t *testing.T) {
	s := openStore(t)
	layer := layerOf(t, s, "app/node_modules/@shop/money/package.json", []byte(`{"name": "@shop/money", "version": "1.2.3"}`))
	img := imageOf(t, layer)
	want := []bom.Package{{Name: "@shop/money", Version: "1.2.3", URL: "pkg:npm/%40shop/money@1.2.3"}}
	for _, read := range []string{"the layer", "what is kept of it"} {
		got, err := Pusher{Store: s}.packages(img)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("of %s: %v, %v", read, got, err)
		}
		digest, err := layer.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(s.blobPath(digest), 0); err != nil {
			t.Fatal(err)
		}
	}
}
