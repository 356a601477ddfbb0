package kind

import (
	"fmt"
	"slices"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"zr/pkg/cluster/engine"
	"zr/pkg/cluster/hostport"
)

// cniLabel on a node image says that a node made from it has a network before
// one is installed (cniStatic), as the images do that zr makes.
const (
	cniLabel  = "zr.dev/cni"
	cniStatic = "static"
)

// kubeletInUserNamespace is the feature gate under which the kubelet goes on
// where it may not set what needs CAP_SYS_RESOURCE.
const kubeletInUserNamespace = "KubeletInUserNamespace"

// keepOOMScores lets containerd start containers whose OOM score may not be
// lowered, for the two versions of its settings that node images come with.
var keepOOMScores = []string{
	"version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  restrict_oom_score_adj = true\n",
	"version = 3\n[plugins.\"io.containerd.cri.v1.runtime\"]\n  restrict_oom_score_adj = true\n",
}

// quickStart shortens how long a new cluster takes until it runs its first
// pod, by some ten of twenty seconds on two cores. It changes neither what
// the cluster does nor how it keeps its data:
//
//   - There is one control plane, so nobody competes with its controller
//     manager and scheduler. As candidates for leadership they ask once, too
//     early, are told that they may not yet, and wait for seconds.
//   - The controller manager makes a service account and a token for each of
//     its fifty controllers. Its limit of 20 requests a second protects the API
//     server of a large cluster, and here makes it idle for five seconds.
//   - Keys on an elliptic curve take no time to make.
//   - kube-proxy writes its rules again at most once a second, for the sake of
//     clusters with thousands of services: so much later a database that is
//     ready can be reached.
var quickStart = []string{`kind: ClusterConfiguration
controllerManager:
  extraArgs:
    leader-elect: "false"
    kube-api-qps: "200"
    kube-api-burst: "400"
scheduler:
  extraArgs:
    leader-elect: "false"
`, `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
encryptionAlgorithm: ECDSA-P256
`, `kind: KubeProxyConfiguration
iptables:
  minSyncPeriod: 100ms
`, patient}

// patient lets kubeadm wait as long for the first answer of the API server as
// for the rest of the control plane. Its own minute is not enough on a machine
// that compiles at the same time, as a first run does.
const patient = `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
timeouts:
  kubernetesAPICall: 4m
`

const acceptCgroupV1 = `kind: KubeletConfiguration
failCgroupV1: false
`

// patchesFolder is where boot leaves the patches that kubeadm applies to what it
// deploys itself.
const patchesFolder = "/kind/patches"

const usePatches = `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
patches:
  directory: ` + patchesFolder + "\n"

// quickDNS lets the cluster's DNS server count as ready when it is: it never is
// at the first probe, and by default the second comes ten seconds later, until
// when no service finds another. It reaches the API by the node's name, since
// the address that pods are told leads nowhere until kube-proxy has written
// its first rules. A second server on the same node would only compete with it.
func quickDNS(node string) string {
	return fmt.Sprintf(`spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: coredns
        env:
        - {name: KUBERNETES_SERVICE_HOST, value: %s}
        - {name: KUBERNETES_SERVICE_PORT, value: %q}
        readinessProbe:
          periodSeconds: 1
`, node, apiPort)
}

// apiPort is where the API server listens in the node: kubeadm's default.
const apiPort = "6443"

// config returns what kind is told. On an ordinary machine only the ports and
// the number of nodes differ from kind's own defaults.
func (p *provider) config(e engine.Engine, img image) *v1alpha4.Cluster {
	c := &v1alpha4.Cluster{Name: p.opts.Name, KubeadmConfigPatches: quickStart}
	if img.boots {
		c.Networking.DisableDefaultCNI = true
		c.KubeadmConfigPatches = append(slices.Clip(c.KubeadmConfigPatches), usePatches)
	}
	for i := range p.opts.Nodes {
		n := v1alpha4.Node{Role: v1alpha4.WorkerRole, Image: img.ref}
		if i == 0 {
			n.Role = v1alpha4.ControlPlaneRole
			// kube-proxy serves a NodePort on every node, so one maps them all.
			for _, port := range p.opts.Ports {
				n.ExtraPortMappings = append(n.ExtraPortMappings, v1alpha4.PortMapping{
					ContainerPort: port.Node, HostPort: port.Host,
					ListenAddress: hostport.Loopback, Protocol: v1alpha4.PortMappingProtocolTCP,
				})
			}
		}
		c.Nodes = append(c.Nodes, n)
	}
	if e.Host.NoSysResource {
		c.FeatureGates = map[string]bool{kubeletInUserNamespace: true}
		if !img.boots { // zr's own sees to it by itself, without a restart of containerd
			c.ContainerdConfigPatches = keepOOMScores
		}
	}
	if e.Host.CgroupV1 {
		c.KubeadmConfigPatches = append(slices.Clip(c.KubeadmConfigPatches), acceptCgroupV1)
	}
	return c
}
