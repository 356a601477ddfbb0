package image

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"zr/pkg/image/bom"
)

// attach has the registry hold what is in an image and how it was made, as referrers of
// its manifest. That comes before the manifest itself: where that is, they are.
func (p Pusher) attach(ctx context.Context, to *remote.Pusher, repo name.Repository, img, base v1.Image, b bom.Build) error {
	subject, err := partial.Descriptor(img)
	if err != nil {
		return err
	}
	packages, err := p.packages(base)
	if err != nil {
		return err
	}
	bill, err := bom.SPDX(repo.Name(), subject.Digest.Hex, packages)
	if err != nil {
		return err
	}
	config, err := base.ConfigFile()
	if err != nil {
		return err
	}
	provenance, err := bom.Provenance(repo.Name(), subject.Digest.Hex, config.Platform().String(), b)
	if err != nil {
		return err
	}
	subject.Platform = nil
	// One after the other: where a registry has no list of referrers, it is a tag that
	// each of them is added to.
	if err := refer(ctx, to, repo, *subject, bom.SPDXType, bill); err != nil {
		return fmt.Errorf("attaching the bill of materials: %w", err)
	}
	if err := refer(ctx, to, repo, *subject, bom.StatementType, provenance); err != nil {
		return fmt.Errorf("attaching the provenance: %w", err)
	}
	return nil
}

// packages returns what is in an image of the store. What a layer has is kept beside
// what is known of it compressed.
func (p Pusher) packages(img v1.Image) ([]bom.Package, error) {
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	contents := make([]bom.Contents, len(layers))
	for n, layer := range layers {
		if contents[n], err = p.Store.contents(layer); err != nil {
			return nil, err
		}
	}
	return bom.Packages(contents), nil
}

func (s *Store) contents(layer v1.Layer) (bom.Contents, error) {
	digest, err := layer.Digest()
	if err != nil {
		return nil, err
	}
	kept := filepath.Join(compressDir, digest.Hex+".packages")
	var found bom.Contents
	if raw, err := os.ReadFile(s.path(kept)); err == nil && json.Unmarshal(raw, &found) == nil {
		return found, nil
	}
	content, err := layer.Uncompressed()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if found, err = bom.Of(content); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(found)
	if err != nil {
		return nil, err
	}
	return found, s.replace(kept, raw)
}

// refer has a repository hold content that is about a subject. Its type is also that of
// the config, which says nothing: older registries know no other place for it.
func refer(ctx context.Context, to *remote.Pusher, repo name.Repository, subject v1.Descriptor, artifact string, content []byte) error {
	config, about := static.NewLayer([]byte("{}"), types.MediaType(artifact)), static.NewLayer(content, types.MediaType(artifact))
	manifest := map[string]any{"schemaVersion": 2, "mediaType": types.OCIManifestSchema1, "artifactType": artifact, "subject": subject}
	for _, layer := range []v1.Layer{config, about} {
		if err := to.Upload(ctx, repo, layer); err != nil {
			return err
		}
	}
	head, err := partial.Descriptor(config)
	if err != nil {
		return err
	}
	body, err := partial.Descriptor(about)
	if err != nil {
		return err
	}
	manifest["config"], manifest["layers"] = head, []any{body}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	digest, _, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return to.Put(ctx, repo.Digest(digest.String()), referrer(raw))
}

// referrer is the manifest of one.
type referrer []byte

func (r referrer) RawManifest() ([]byte, error)        { return r, nil }
func (r referrer) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
