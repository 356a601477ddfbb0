package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// PushAll is Push for the images of one service, each for another platform: nodes are
// given an index of them, and pull what they can run. One image is pushed as it is.
func (p Pusher) PushAll(ctx context.Context, images []v1.Image, repository, tag string) (string, Stats, error) {
	if len(images) == 1 {
		return p.Push(ctx, images[0], repository, tag)
	}
	var all Stats
	for _, img := range images {
		platform, err := platformTag(img)
		if err != nil {
			return "", all, fmt.Errorf("pushing image %q: %w", repository, err)
		}
		_, stats, err := p.Push(ctx, img, repository, tag+"-"+platform)
		all = all.Plus(stats)
		if err != nil {
			return "", all, err
		}
	}
	index, pinned, err := p.index(ctx, images, repository)
	if err == nil {
		err = remote.Put(pinned.Context().Tag(tag), index, p.Registry.options(ctx)...)
	}
	if err != nil {
		return "", all, fmt.Errorf("pushing the index of %q: %w", repository, explain(err))
	}
	return pinned.Name(), all, nil
}

// NameAll returns the name that PushAll would, and sends nothing.
func (p Pusher) NameAll(ctx context.Context, images []v1.Image, repository string) (string, error) {
	if len(images) == 1 {
		return p.Name(ctx, images[0], repository)
	}
	_, pinned, err := p.index(ctx, images, repository)
	if err != nil {
		return "", fmt.Errorf("preparing the index of %q: %w", repository, err)
	}
	return pinned.Name(), nil
}

// index makes the index of images, in their order, and the name by which a registry has
// it.
func (p Pusher) index(ctx context.Context, images []v1.Image, repository string) (v1.ImageIndex, name.Digest, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var repo name.Repository
	for _, img := range images {
		out := &outgoing{base: img, layers: map[v1.Hash]v1.Layer{}}
		ready, pinned, err := p.ready(ctx, out, repository)
		out.close()
		if err != nil {
			return nil, name.Digest{}, err
		}
		config, err := img.ConfigFile()
		if err != nil {
			return nil, name.Digest{}, err
		}
		repo = pinned.Context()
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: ready, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	digest, err := index.Digest()
	if err != nil {
		return nil, name.Digest{}, err
	}
	return index, repo.Digest(digest.String()), nil
}

// platformTag is what tells the image of a platform from those of others: "arm64".
func platformTag(img v1.Image) (string, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return "", err
	}
	return config.Architecture + config.Variant, nil
}
