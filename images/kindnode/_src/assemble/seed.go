package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	containerdimages "github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/epoch"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.etcd.io/bbolt"
)

// snapshotter is the one that kind's containerd config names.
const snapshotter = "overlayfs"

// seed makes /var/lib/containerd as it is after the images were imported and
// unpacked. The snapshots' content stays in layersDir: a snapshot is a link
// to it, which the kernel follows when overlayfs is mounted, so nothing is
// copied when the engine fills the node's /var. The layers' archives are left
// out, as containerd itself does with discard_unpacked_layers, which kind
// sets.
func (b build) seed(ctx context.Context, references []string) error {
	root := b.node("var/lib/containerd")
	snapshotRoot := filepath.Join(root, "io.containerd.snapshotter.v1."+snapshotter)
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return err
	}
	database := filepath.Join(root, "io.containerd.metadata.v1.bolt/meta.db")
	if err := os.MkdirAll(filepath.Dir(database), 0o700); err != nil {
		return err
	}
	store, err := local.NewStore(filepath.Join(root, "io.containerd.content.v1.content"))
	if err != nil {
		return err
	}
	overlayfs, err := overlay.NewSnapshotter(snapshotRoot)
	if err != nil {
		return err
	}
	bolt, err := bbolt.Open(database, 0o644, nil)
	if err != nil {
		return err
	}
	db := metadata.NewDB(bolt, store, map[string]snapshots.Snapshotter{snapshotter: overlayfs})
	if err := db.Init(ctx); err != nil {
		return err
	}
	s := &seeder{build: b, db: db, snapshotRoot: snapshotRoot, layers: map[string]layer{}}
	ctx = namespaces.WithNamespace(epoch.WithSourceDateEpoch(ctx, &sourceDate), "k8s.io")
	for _, reference := range references {
		if err := s.image(ctx, reference); err != nil {
			return fmt.Errorf("adding image %q: %w", reference, err)
		}
	}
	if err := s.linkSnapshots(); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if err := overlayfs.Close(); err != nil {
		return err
	}
	for _, path := range []string{database, filepath.Join(snapshotRoot, "metadata.db")} {
		if err := normalise(path); err != nil {
			return fmt.Errorf("normalising %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// seeder adds images to one store.
type seeder struct {
	build
	db           *metadata.DB
	snapshotRoot string
	layers       map[string]layer // by name
	snapshots    []string         // names of the layers, in the order in which they became snapshots
}

type layer struct {
	digest digest.Digest // of the layer as an uncompressed tar
	size   int64
}

// image adds one image: snapshots of its layers, config, manifest, name.
func (s *seeder) image(ctx context.Context, reference string) error {
	definition, ok := imageFor(reference)
	if !ok {
		return fmt.Errorf("nothing is known about its contents")
	}
	config := ocispec.Image{
		Created:  &sourceDate,
		Platform: ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH},
		Config:   definition.config,
		RootFS:   ocispec.RootFS{Type: "layers"},
	}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	for _, name := range definition.layers {
		l, err := s.layer(name)
		if err != nil {
			return err
		}
		parent := ""
		if len(config.RootFS.DiffIDs) > 0 {
			parent = identity.ChainID(config.RootFS.DiffIDs).String()
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.digest)
		chain := identity.ChainID(config.RootFS.DiffIDs).String()
		if err := s.snapshot(ctx, chain, parent, name); err != nil {
			return fmt.Errorf("adding layer %q: %w", name, err)
		}
		manifest.Layers = append(manifest.Layers, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: l.digest, Size: l.size})
	}
	// The labels are what containerd's garbage collector follows from the
	// image's name to all that the image needs.
	top := identity.ChainID(config.RootFS.DiffIDs).String()
	var err error
	manifest.Config, err = s.blob(ctx, ocispec.MediaTypeImageConfig, config, map[string]string{
		"containerd.io/gc.ref.snapshot." + snapshotter: top,
	})
	if err != nil {
		return err
	}
	target, err := s.blob(ctx, ocispec.MediaTypeImageManifest, manifest, map[string]string{
		"containerd.io/gc.ref.content.config": manifest.Config.Digest.String(),
	})
	if err != nil {
		return err
	}
	// The kubelet must not collect what cannot be pulled again.
	labels := map[string]string{"io.cri-containerd.image": "managed", "io.cri-containerd.pinned": "pinned"}
	for _, name := range []string{reference, manifest.Config.Digest.String()} {
		_, err := metadata.NewImageStore(s.db).Create(ctx, containerdimages.Image{Name: name, Target: target, Labels: labels})
		if err != nil && !isExists(err) {
			return err
		}
	}
	return nil
}

// blob stores value as JSON.
func (s *seeder) blob(ctx context.Context, mediaType string, value any, labels map[string]string) (ocispec.Descriptor, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	return d, content.WriteBlob(ctx, s.db.ContentStore(), d.Digest.String(), bytes.NewReader(data), d, content.WithLabels(labels))
}

// snapshot adds the layer as a committed snapshot, for now with no content.
func (s *seeder) snapshot(ctx context.Context, chain, parent, name string) error {
	sn := s.db.Snapshotter(snapshotter)
	if _, err := sn.Stat(ctx, chain); err == nil {
		return nil
	}
	key := "seed-" + chain
	if _, err := sn.Prepare(ctx, key, parent); err != nil {
		return err
	}
	if err := sn.Commit(ctx, chain, key); err != nil {
		return err
	}
	s.snapshots = append(s.snapshots, name)
	return nil
}

// linkSnapshots gives the snapshots their content. It comes last, since the
// snapshotter looks at the content of a snapshot that gets a child.
func (s *seeder) linkSnapshots() error {
	for i, name := range s.snapshots {
		// Snapshots are numbered from 1, in the order in which they are made.
		content := filepath.Join(s.snapshotRoot, "snapshots", strconv.Itoa(i+1), "fs")
		if err := os.Remove(content); err != nil {
			return err
		}
		if err := os.Symlink("/"+layersDir+"/"+name, content); err != nil {
			return err
		}
	}
	return nil
}

// layer measures a layer, once.
func (s *seeder) layer(name string) (layer, error) {
	if l, ok := s.layers[name]; ok {
		return l, nil
	}
	matches, err := filepath.Glob(filepath.Join(s.out, "*", layersDir, name))
	if err != nil {
		return layer{}, err
	}
	if len(matches) != 1 {
		return layer{}, fmt.Errorf("layer %q is in %d folders", name, len(matches))
	}
	hash := sha256.New()
	counter := &countWriter{w: hash}
	if err := writeTar(counter, matches[0]); err != nil {
		return layer{}, fmt.Errorf("reading layer %q: %w", name, err)
	}
	l := layer{digest: digest.NewDigest(digest.SHA256, hash), size: counter.n}
	s.layers[name] = l
	return l, nil
}

type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// writeTar writes dir the same way whenever its content is the same.
func writeTar(w io.Writer, dir string) error {
	t := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		if header.Name, err = filepath.Rel(dir, path); err != nil {
			return err
		}
		header.ModTime, header.AccessTime, header.ChangeTime = sourceDate, time.Time{}, time.Time{}
		header.Format = tar.FormatPAX
		header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
		if err := t.WriteHeader(header); err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(t, file)
		return err
	})
	if err != nil {
		return err
	}
	return t.Close()
}

// sourceDate is the time that everything made here carries.
var sourceDate = func() time.Time {
	seconds, _ := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	return time.Unix(seconds, 0).UTC()
}()
