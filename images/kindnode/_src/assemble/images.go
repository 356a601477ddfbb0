package main

import (
	"path"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// image is one image that the node is born with. Layers are folders of
// layersDir, lowest first; images that begin with the same layers share them.
type image struct {
	layers []string
	config ocispec.ImageConfig
}

const pathEnv = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// images says what is in each image that kubeadm asks for, by the last part
// of its name.
var images = map[string]image{
	"kube-apiserver":          program("kube-apiserver", "kube"),
	"kube-controller-manager": program("kube-controller-manager", "kube"),
	"kube-scheduler":          program("kube-scheduler", "kube"),
	"kube-proxy":              program("kube-proxy", "kube", "iptables"),
	"etcd":                    program("etcd", "etcd"),
	"coredns":                 program("/coredns", "coredns"),
	"node-daemon":             program("node-network", "kube", "iptables"),
	"pause":                   {layers: []string{"pause"}, config: ocispec.ImageConfig{User: "65535:65535", Env: []string{pathEnv}, Entrypoint: []string{"/pause"}}},
}

func program(name string, layers ...string) image {
	return image{layers: layers, config: ocispec.ImageConfig{Env: []string{pathEnv}, Entrypoint: []string{name}}}
}

// daemonImage is the image of the node's own daemons, as the manifests name it.
const daemonImage = "localhost/zr/node-daemon:v1"

// imageFor returns what an image reference like
// registry/name/kube-proxy:v1 stands for.
func imageFor(reference string) (image, bool) {
	name, _, _ := strings.Cut(path.Base(reference), ":")
	i, ok := images[name]
	return i, ok
}
