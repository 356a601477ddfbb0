// Command assemble lays out what a kind node image holds beyond Debian
// packages: kind's own base files, the programs, and a containerd store that
// already knows the images of the control plane, so that a new node imports
// nothing when it boots. It runs while the image is made, on the machine that
// makes it, needs no container engine, and mounts nothing.
//
// The recipe runner calls it with these variables in the environment:
//
//	ZR_OUT       folder to write; each folder in it becomes a layer
//	ZR_PROGRAMS  folder with the programs that were built
//	ZR_ROOTFS    tar of the Debian root file system that the layers go on
//	ZR_KIND      folder of the kind module, whose base files are used
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// layersDir is where the node keeps the root file systems of the images that
// it is born with. They are part of the node image and outside /var, which
// kind makes a volume and an engine fills by copying.
const layersDir = "usr/lib/zr/layers"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintf(os.Stderr, "assemble: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	b := build{
		out:      os.Getenv("ZR_OUT"),
		programs: os.Getenv("ZR_PROGRAMS"),
		rootfs:   os.Getenv("ZR_ROOTFS"),
		kind:     os.Getenv("ZR_KIND"),
	}
	if b.out == "" || b.programs == "" || b.rootfs == "" || b.kind == "" {
		return errors.New("ZR_OUT, ZR_PROGRAMS, ZR_ROOTFS and ZR_KIND must be set")
	}
	version, err := b.program(ctx, "kubeadm", "version", "-o", "short")
	if err != nil {
		return err
	}
	names, err := b.program(ctx, "kubeadm", "config", "images", "list", "--kubernetes-version", version)
	if err != nil {
		return err
	}
	if err := b.kindBase(ctx); err != nil {
		return fmt.Errorf("laying out kind's base files: %w", err)
	}
	pause, err := b.sandboxImage()
	if err != nil {
		return err
	}
	if err := b.layOutPrograms(); err != nil {
		return err
	}
	if err := b.imageLayers(); err != nil {
		return err
	}
	if err := b.seed(ctx, append(strings.Fields(names), pause, daemonImage)); err != nil {
		return fmt.Errorf("filling containerd's store: %w", err)
	}
	if err := b.manifests(); err != nil {
		return fmt.Errorf("writing manifests: %w", err)
	}
	return writeFile(b.node("kind/version"), version, 0o644)
}

// build is one run: where things come from and go to.
type build struct{ out, programs, rootfs, kind string }

// node returns a path of the layer that makes the node: files of a few
// kilobytes, which change more often than the programs do.
func (b build) node(path string) string { return filepath.Join(b.out, "node", path) }

// program runs the multi-call binary by one of its names.
func (b build) program(ctx context.Context, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(b.programs, "kube"), args...)
	command.Args[0] = name
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("running %s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// layOutPrograms puts every program into the layer and the place where the
// node or an image expects it. The Kubernetes programs are links to the one
// multi-call binary, in the node as in the images, so that the kernel holds
// its pages once.
func (b build) layOutPrograms() error {
	for _, p := range []struct{ from, layer, to string }{
		{"containerd", "runtime", "usr/local/bin/containerd"},
		{"containerd-shim-runc-v2", "runtime", "usr/local/bin/containerd-shim-runc-v2"},
		{"ctr", "runtime", "usr/local/bin/ctr"},
		{"host-local", "runtime", "opt/cni/bin/host-local"},
		{"loopback", "runtime", "opt/cni/bin/loopback"},
		{"portmap", "runtime", "opt/cni/bin/portmap"},
		{"ptp", "runtime", "opt/cni/bin/ptp"},
		{"kube", "kubernetes", layersDir + "/kube/usr/local/bin/kube"},
		{"coredns", "addons", layersDir + "/coredns/coredns"},
		{"server", "addons", layersDir + "/etcd/usr/local/bin/etcd"},
		{"pause", "addons", layersDir + "/pause/pause"},
	} {
		if err := linkFile(filepath.Join(b.programs, p.from), filepath.Join(b.out, p.layer, p.to)); err != nil {
			return fmt.Errorf("placing program %q: %w", p.from, err)
		}
	}
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "node-network", "node-storage"} {
		if err := symlink("kube", filepath.Join(b.out, "kubernetes", layersDir, "kube/usr/local/bin", name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"kubeadm", "kubectl", "kubelet"} {
		if err := symlink("/"+layersDir+"/kube/usr/local/bin/kube", b.node("usr/bin/"+name)); err != nil {
			return err
		}
	}
	return nil
}
