package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// kindBase copies kind's base files from its module and does what the
// Dockerfile beside them does around them, as far as that is not a matter of
// Debian packages.
func (b build) kindBase(ctx context.Context) error {
	files := filepath.Join(b.kind, "images/base/files")
	err := filepath.WalkDir(files, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(files, path)
		if err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "usr/local/bin/") || strings.HasPrefix(name, "kind/bin/") {
			mode = 0o755
		}
		return copyFile(path, b.node(name), mode)
	})
	if err != nil {
		return err
	}
	for unit, wantedBy := range map[string]string{
		"kubelet.service":          "multi-user.target",
		"containerd.service":       "multi-user.target",
		"undo-mount-hacks.service": "multi-user.target",
	} {
		if err := symlink("/etc/systemd/system/"+unit, b.node("etc/systemd/system/"+wantedBy+".wants/"+unit)); err != nil {
			return err
		}
	}
	for _, unit := range maskedUnits {
		if err := symlink("/dev/null", b.node("etc/systemd/system/"+unit)); err != nil {
			return err
		}
	}
	if err := symlink("/usr/lib/systemd/systemd", b.node("usr/sbin/init")); err != nil {
		return err
	}
	spec, err := b.baseSpec(ctx)
	if err != nil {
		return err
	}
	if err := writeFile(b.node("etc/containerd/cri-base.json"), spec, 0o644); err != nil {
		return err
	}
	for path, content := range nodeFiles {
		if err := writeFile(b.node(path), content, 0o644); err != nil {
			return err
		}
	}
	for name, script := range map[string]string{
		"first-network": firstNetwork, "first-layers": firstLayers, "oom-scores": oomScores,
	} {
		if err := writeFile(b.node("usr/lib/zr/"+name), script, 0o755); err != nil {
			return err
		}
	}
	return os.MkdirAll(b.node("etc/kubernetes/manifests"), 0o755)
}

// Scripts of the node; their heads say what they are for.
var (
	//go:embed first-network
	firstNetwork string
	//go:embed first-layers
	firstLayers string
	//go:embed oom-scores
	oomScores string
)

// maskedUnits have nothing to do in a node: they would register formats with
// the host's kernel, or rebuild at the first boot what the image already has.
var maskedUnits = []string{
	"systemd-binfmt.service",
	"ldconfig.service",
	"systemd-firstboot.service",
	"systemd-hwdb-update.service",
	"systemd-journal-catalog-update.service",
	"systemd-random-seed.service",
	"systemd-sysusers.service",
	"systemd-update-done.service",
	"systemd-update-utmp.service",
	"systemd-update-utmp-runlevel.service",
}

// nodeFiles are the files that this node has and kind's base does not.
var nodeFiles = map[string]string{
	// kind's entrypoint deletes and makes it again; systemd wants it to exist.
	"etc/machine-id": "",
	// Lines of the host's kernel would be confusing in the node's journal.
	"etc/systemd/journald.conf.d/kind.conf": "[Journal]\nReadKMsg=no\n",
	// See first-layers and oom-scores.
	"etc/systemd/system/containerd.service.d/20-zr.conf": "[Service]\nExecStartPre=/usr/lib/zr/first-layers\nExecStartPre=/usr/lib/zr/oom-scores\n",
	// See first-network.
	"etc/systemd/system/kubelet.service.d/20-zr.conf": "[Service]\nExecStartPre=/usr/lib/zr/first-network\n",
}

// baseSpec returns the runtime spec that every container of the node starts
// from: containerd's default, without limits (the node's own apply), and with
// kind's hook that gives containers the node's product name.
func (b build) baseSpec(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(b.programs, "ctr"), "oci", "spec").Output()
	if err != nil {
		return "", fmt.Errorf("running ctr oci spec: %w", err)
	}
	var spec map[string]any
	if err := json.Unmarshal(out, &spec); err != nil {
		return "", fmt.Errorf("reading the runtime spec: %w", err)
	}
	process, ok := spec["process"].(map[string]any)
	if !ok {
		return "", errors.New("the runtime spec has no process")
	}
	delete(process, "rlimits")
	spec["hooks"] = map[string]any{
		"createContainer": []any{map[string]any{"path": "/kind/bin/mount-product-files.sh"}},
	}
	text, err := json.MarshalIndent(spec, "", "  ")
	return string(text), err
}

var sandboxLine = regexp.MustCompile(`(?m)^\s*sandbox_image\s*=\s*"([^"]+)"`)

// sandboxImage returns the pause image that kind's containerd config names.
func (b build) sandboxImage() (string, error) {
	config, err := os.ReadFile(b.node("etc/containerd/config.toml"))
	if err != nil {
		return "", err
	}
	match := sandboxLine.FindSubmatch(config)
	if match == nil {
		return "", errors.New("kind's containerd config names no sandbox_image")
	}
	return string(match[1]), nil
}
