package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"zr/internal/lab"
)

// bareKind is the kind command of the version that zr is built with, with
// nothing of zr's but what a constrained machine needs to have a cluster at all.
type bareKind struct {
	b       *bench
	program string
	config  string
	env     []string
}

// bareConfig is kind's default, without the network that zr's own node image
// brings along, and with what gets kind past a machine that lacks
// CAP_SYS_RESOURCE or has cgroups of version 1. None of it makes kind slower.
const bareConfig = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: {disableDefaultCNI: true}
featureGates: {KubeletInUserNamespace: true}
containerdConfigPatches:
- |-
  version = 2
  [plugins."io.containerd.grpc.v1.cri"]
    restrict_oom_score_adj = true
- |-
  version = 3
  [plugins."io.containerd.cri.v1.runtime"]
    restrict_oom_score_adj = true
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  failCgroupV1: false
`

func newBareKind(b *bench) bareKind {
	dir := b.TempDir()
	k := bareKind{b: b, program: filepath.Join(dir, "kind"), config: filepath.Join(dir, "kind.yaml")}
	build := exec.Command("go", "build", "-o", k.program, "sigs.k8s.io/kind")
	build.Dir = lab.Repository(b)
	if text, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building kind: %v\n%s", err, text)
	}
	b.must(os.WriteFile(k.config, []byte(bareConfig), 0o644))
	k.env = append(os.Environ(), "KIND_EXPERIMENTAL_PROVIDER="+lab.EngineName(), "KUBECONFIG="+filepath.Join(dir, "kubeconfig"))
	// The limits that zr hands to podman on a machine whose own are too high
	// for it.
	if state, err := os.UserConfigDir(); err == nil {
		if conf := filepath.Join(state, "zr", "containers.conf"); exists(conf) {
			k.env = append(k.env, "CONTAINERS_CONF="+conf)
		}
	}
	return k
}

func (k bareKind) run(args ...string) {
	c := exec.Command(k.program, args...)
	c.Env = k.env
	if text, err := c.CombinedOutput(); err != nil {
		k.b.Fatalf("kind %s: %v\n%s", strings.Join(args, " "), err, text)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
