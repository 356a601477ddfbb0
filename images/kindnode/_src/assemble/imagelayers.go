package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// imageLayers adds what the images need besides their programs.
func (b build) imageLayers() error {
	// The apiserver and the controller manager write temporary files.
	tmp := filepath.Join(b.out, "kubernetes", layersDir, "kube/tmp")
	if err := os.MkdirAll(tmp, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o777|os.ModeSticky); err != nil {
		return err
	}
	return b.iptablesLayer(filepath.Join(b.out, "addons", layersDir, "iptables"))
}

// iptablesLayer copies what kube-proxy calls, and the shared libraries that
// these programs load, from the node's root file system.
//
// Whether rules go through the legacy or the nft back end must be the same in
// the node and in kube-proxy, and kind's entrypoint chooses at each boot, so
// both are there in folders of their own and the kube binary picks one.
func (b build) iptablesLayer(dir string) error {
	root, err := openRootfs(b.rootfs)
	if err != nil {
		return err
	}
	defer root.Close()
	programs := []string{
		"/usr/sbin/xtables-legacy-multi", "/usr/sbin/xtables-nft-multi",
		"/usr/sbin/nft", "/usr/sbin/conntrack",
	}
	needed, err := root.closure(append(programs, root.under("/xtables/", ".so")...))
	if err != nil {
		return err
	}
	for _, path := range needed {
		if err := root.extract(path, filepath.Join(dir, path)); err != nil {
			return fmt.Errorf("copying %q from the root file system: %w", path, err)
		}
	}
	for _, link := range []struct{ path, target string }{{"/bin", "usr/bin"}, {"/sbin", "usr/sbin"}, {"/lib", "usr/lib"}, {"/lib64", "usr/lib64"}} {
		if err := symlink(link.target, filepath.Join(dir, link.path)); err != nil {
			return err
		}
	}
	for _, mode := range []string{"legacy", "nft"} {
		for _, name := range []string{
			"iptables", "iptables-save", "iptables-restore",
			"ip6tables", "ip6tables-save", "ip6tables-restore",
		} {
			target := "/usr/sbin/xtables-" + mode + "-multi"
			if err := symlink(target, filepath.Join(dir, "usr/lib/iptables", mode, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
