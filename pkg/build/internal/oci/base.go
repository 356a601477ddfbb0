package oci

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/crypto/x509roots/fallback/bundle"

	"zr/pkg/image"
)

// NonRoot is the user of images on zr's own base. The number is the one that
// the well-known minimal images use, so that manifests need not care whose
// base it is.
const NonRoot = 65532

// Base writes the layer that static programs need below them: a user, a group,
// roots of trust and a place for temporary files. The roots come with zr's
// source, not from the machine, so that the layer is the same everywhere. Those
// that are trusted only for older certificates are left out: a file cannot say
// that.
func Base(ctx context.Context, store *image.Store) (Layer, error) {
	return Write(ctx, store, "base: user, CA roots, /tmp", func(t *Tar) {
		t.File("etc/group", 0o644, Root, fmt.Appendf(nil, "root:x:0:\nnonroot:x:%d:\n", NonRoot))
		t.File("etc/passwd", 0o644, Root, fmt.Appendf(nil,
			"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:%[1]d:%[1]d:nonroot:/tmp:/sbin/nologin\n", NonRoot))
		t.File("etc/ssl/certs/ca-certificates.crt", 0o644, Root, roots())
		t.Dir("tmp", fs.ModeSticky|0o777, Root)
	})
}

// Below returns what the files of an image are put on: the image called ref, which
// find knows, or the layer of Base where ref is empty.
func Below(ctx context.Context, store *image.Store, ref string, find func(ctx context.Context, ref string) (v1.Image, error)) (v1.Image, []Layer, error) {
	if ref == "" {
		layer, err := Base(ctx, store)
		return nil, []Layer{layer}, err
	}
	base, err := find(ctx, ref)
	if err != nil {
		return nil, nil, fmt.Errorf("finding the base image: %w", err)
	}
	return base, nil, nil
}

// OnBase sets the user and the PATH of an image on the layer of Base.
func OnBase(c *v1.Config) {
	c.User = fmt.Sprintf("%[1]d:%[1]d", NonRoot)
	SetEnv(c, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}

func roots() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // into memory: cannot fail
		}
	}
	return b.Bytes()
}
