package build

import (
	"context"
	"fmt"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/agentspec"
	"zr/pkg/build/internal/inputs"
	"zr/pkg/build/internal/oci"
	"zr/pkg/image"
)

// Agent returns an image of the live-reload agent alone, the program at path, and the
// hash of it, from the store where it has it.
func (d Deps) Agent(ctx context.Context, path, platform string) (img v1.Image, hash string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("making the image of the agent: %w", err)
		}
	}()
	dir, err := d.Dir()
	if err != nil {
		return nil, "", err
	}
	if hash, err = inputs.CachedHash(filepath.Join(dir, "agent.json"), path); err != nil {
		return nil, "", err
	}
	const repository = image.Local + "/zr/zr-agent"
	if entry, err := d.Store.FindKey(repository, hash); err == nil {
		img, err := d.Store.Get(ctx, entry.Name)
		return img, hash, err
	}
	on, err := image.ParsePlatform(platform)
	if err != nil {
		return nil, "", err
	}
	base, err := oci.Base(ctx, d.Store)
	if err != nil {
		return nil, "", err
	}
	agent, err := oci.Write(ctx, d.Store, "zr-agent", func(t *oci.Tar) { t.Stream(agentspec.AgentPath, 0o755, oci.Root, path) })
	if err != nil {
		return nil, "", err
	}
	img, err = oci.Assemble(nil, on, []oci.Layer{base, agent}, func(c *v1.Config) {
		oci.OnBase(c)
		c.Entrypoint = []string{agentspec.AgentPath}
	})
	if err != nil {
		return nil, "", err
	}
	_, err = d.Store.PutPinned(ctx, repository, img, image.Built, hash)
	return img, hash, err
}
