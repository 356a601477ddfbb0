package image

import (
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestPushAllGivesEachNodeItsImage has nodes of two kinds pull by one name.
func TestPushAllGivesEachNodeItsImage(t *testing.T) {
	s, reg := openStore(t), newRegistry(t)
	pusher := Pusher{Store: s}
	base := layerOf(t, s, "base", noise(100<<10))
	amd := imageOf(t, base, layerOf(t, s, "app", noise(20<<10)))
	arm := imageOf(t, base, layerOf(t, s, "app", noise(30<<10)))
	config, err := arm.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.Architecture = "arm64"
	if arm, err = mutate.ConfigFile(arm, config); err != nil {
		t.Fatal(err)
	}
	images, repository := []v1.Image{amd, arm}, reg.host+"/shop/api"

	want, err := pusher.NameAll(t.Context(), images, repository)
	if err != nil || reg.requests.Load() != 0 {
		t.Fatalf("its name takes %d requests: %v", reg.requests.Load(), err)
	}
	ref, stats, err := pusher.PushAll(t.Context(), images, repository, "zr-1")
	if err != nil || ref != want || stats.Images != 2 {
		t.Fatalf("it was pushed as %s and is %s: %+v, %v", ref, want, stats, err)
	}
	sent := reg.uploaded.Load()
	if again, stats, err := pusher.PushAll(t.Context(), images, repository, "zr-1"); err != nil || again != ref || stats.Bytes != 0 || reg.uploaded.Load()-sent > 2<<10 {
		t.Errorf("once more: %s, %+v, %v, %d bytes", again, stats, err, reg.uploaded.Load()-sent)
	}

	pinned, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(pinned)
	if err != nil {
		t.Fatal(err)
	}
	if media, err := index.MediaType(); err != nil || media != types.OCIImageIndex {
		t.Errorf("it is a %s (%v)", media, err)
	}
	if err := validate.Index(index, validate.Fast); err != nil {
		t.Error(err)
	}
	for n, arch := range []string{"amd64", "arm64"} {
		pulled, err := remote.Image(pinned, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := pulled.RawConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if want, err := images[n].RawConfigFile(); err != nil || !slices.Equal(got, want) {
			t.Errorf("a node of %s is given %s (%v)", arch, got, err)
		}
	}
	if one, err := pusher.NameAll(t.Context(), images[:1], repository); err != nil || one == want {
		t.Errorf("one image alone is %s (%v)", one, err)
	}
}
