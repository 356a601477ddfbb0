package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Item is an image and the name that a cluster resolves it by.
type Item struct {
	Name  string
	Image v1.Image
}

// Item returns an image of the store, ready to be loaded.
func (s *Store) Item(ctx context.Context, name string) (Item, error) {
	img, err := s.Get(ctx, name)
	return Item{Name: name, Image: img}, err
}

// bundle is what a set of images is made of, shared blobs once.
type bundle struct {
	images []v1.Descriptor // with the annotation that names each
	blobs  []blob          // in the order in which they are written: layers before what names them
}

type blob struct {
	digest string
	size   int64
	layer  bool
	needed []int // positions in images
	open   func() (io.ReadCloser, error)
}

func newBundle(items []Item) (*bundle, error) {
	c := &bundle{}
	position := map[string]int{}
	add := func(b blob) {
		n, ok := position[b.digest]
		if !ok {
			n = len(c.blobs)
			position[b.digest] = n
			c.blobs = append(c.blobs, b)
		}
		c.blobs[n].needed = append(c.blobs[n].needed, len(c.images))
	}
	for _, item := range items {
		if err := c.add(item, add); err != nil {
			return nil, fmt.Errorf("reading image %q: %w", item.Name, err)
		}
	}
	return c, nil
}

func (c *bundle) add(item Item, add func(blob)) error {
	full, err := Normalize(item.Name)
	if err != nil {
		return err
	}
	manifest, err := item.Image.Manifest()
	if err != nil {
		return err
	}
	for _, layer := range manifest.Layers {
		add(blob{digest: layer.Digest.String(), size: layer.Size, layer: true, open: func() (io.ReadCloser, error) {
			l, err := item.Image.LayerByDigest(layer.Digest)
			if err != nil {
				return nil, err
			}
			return l.Compressed()
		}})
	}
	config, err := item.Image.RawConfigFile()
	if err != nil {
		return err
	}
	add(blob{digest: manifest.Config.Digest.String(), size: int64(len(config)), open: bytesOf(config)})
	raw, err := item.Image.RawManifest()
	if err != nil {
		return err
	}
	desc, err := partial.Descriptor(item.Image)
	if err != nil {
		return err
	}
	add(blob{digest: desc.Digest.String(), size: int64(len(raw)), open: bytesOf(raw)})
	desc.Annotations = map[string]string{annotationName: full}
	c.images = append(c.images, *desc)
	return nil
}

// lacking returns what a node must be sent that holds these blobs, and these
// images by name and digest. A nil content means that all is sent.
func (c *bundle) lacking(names, content map[string]string) *bundle {
	rest := &bundle{}
	wanted := map[int]bool{}
	for i, desc := range c.images {
		if content == nil || names[desc.Annotations[annotationName]] != desc.Digest.String() {
			wanted[i] = true
			rest.images = append(rest.images, desc)
		}
	}
	for _, b := range c.blobs {
		_, held := content[b.digest]
		if !held && slices.ContainsFunc(b.needed, func(i int) bool { return wanted[i] }) {
			rest.blobs = append(rest.blobs, b)
		}
	}
	return rest
}

// size returns the bytes of all blobs.
func (c *bundle) size() (size int64) {
	for _, b := range c.blobs {
		size += b.size
	}
	return size
}

func (c *bundle) layers() (n int) {
	for _, b := range c.blobs {
		if b.layer {
			n++
		}
	}
	return n
}

// write streams an OCI archive that names all images and holds the blobs.
func (c *bundle) write(w io.Writer) error {
	tw := tar.NewWriter(w)
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: c.images})
	if err != nil {
		return err
	}
	if err := addFile(tw, layoutFile, int64(len(layoutHeader)), strings.NewReader(layoutHeader)); err != nil {
		return err
	}
	buffer := make([]byte, 256<<10)
	for _, b := range c.blobs {
		if err := b.write(tw, buffer); err != nil {
			return fmt.Errorf("sending blob %s: %w", b.digest, err)
		}
	}
	if err := addFile(tw, indexFile, int64(len(index)), bytes.NewReader(index)); err != nil {
		return err
	}
	return tw.Close()
}

func (b blob) write(tw *tar.Writer, buffer []byte) error {
	r, err := b.open()
	if err != nil {
		return err
	}
	defer r.Close()
	h, err := v1.NewHash(b.digest)
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(header(path.Join("blobs", h.Algorithm, h.Hex), b.size)); err != nil {
		return err
	}
	_, err = io.CopyBuffer(tw, r, buffer)
	return err
}

func addFile(tw *tar.Writer, name string, size int64, r io.Reader) error {
	if err := tw.WriteHeader(header(name, size)); err != nil {
		return err
	}
	_, err := io.Copy(tw, r)
	return err
}

func header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}
}
