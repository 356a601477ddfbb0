package kustomize_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"zr/pkg/deploy/render"
	"zr/pkg/livesync/layers"
)

// TestAllowedConnections derives from the NetworkPolicies of each overlay who
// may open a connection to whom, and compares it with what the design says.
func TestAllowedConnections(t *testing.T) {
	common := []string{
		"api -> postgres TCP 5432",
		"api -> redis TCP 6379",
		"api -> outside TCP 6443", // the Kubernetes API of a kubeadm cluster
		"frontend -> api TCP 3001",
		"api -> frontend TCP 3000", // how it is
		"api -> api TCP 3001",
		"outside -> frontend TCP 3000",
		"outside -> api TCP 3001",
	}
	for _, pod := range []string{"api", "frontend", "postgres", "redis", "stranger", "pusher"} {
		common = append(common, pod+" -> dns UDP 53", pod+" -> dns TCP 53")
	}
	for _, test := range []struct {
		overlay string
		more    []string
	}{
		// The kubelets, and the agents of services under zr dev.
		{"dev", []string{"api -> outside TCP 10250", "api -> frontend TCP 29798", "api -> api TCP 29798"}},
		{"dashboard", append(toOthers(), "api -> outside TCP 10250")},
		// The Kubernetes API of a managed cluster, and the registry.
		{"staging", []string{"api -> outside TCP 443", "pusher -> outside TCP 443"}},
		{"eks", []string{"api -> outside TCP 443"}},
	} {
		t.Run(test.overlay, func(t *testing.T) {
			pods := kindPods
			if test.overlay == "eks" {
				pods = amazonPods
			}
			world := newWorld(t, rendered(t, test.overlay), pods)
			want := slices.Concat(common, test.more)
			got := world.connections()
			for _, c := range got {
				if !slices.Contains(want, c) {
					t.Errorf("allowed, and should not be: %s", c)
				}
			}
			for _, c := range want {
				if !slices.Contains(got, c) {
					t.Errorf("not allowed, and should be: %s", c)
				}
			}
		})
	}
}

// toOthers is what lets the api of the dashboard ask the services of any environment.
func toOthers() (all []string) {
	for _, port := range []int{22, 53, 80, 443, 3000, 3001, 5432, 6379, 6443, 10250, 29798} {
		all = append(all, fmt.Sprintf("api -> impostor TCP %d", port))
	}
	return all
}

// The ranges of the pods of kind and kubeadm, of the overlay eks, and of some other
// cluster.
var kindPods, amazonPods, otherPods = netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("100.64.0.0/16"), netip.MustParsePrefix("10.32.0.0/14")

// TestStagingIsForAnyPodRange moves staging to a cluster with another range of
// pods, by what its own patches say of it: nobody is let in or out by that who
// was not before.
func TestStagingIsForAnyPodRange(t *testing.T) {
	want := newWorld(t, rendered(t, "staging"), kindPods).connections()
	o := options(t, "staging")
	text, err := os.ReadFile(filepath.Join(o.Overlay, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	up, err := filepath.Rel(dir, filepath.Dir(filepath.Dir(o.Overlay)))
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.NewReplacer(kindPods.String(), otherPods.String(), "../..", up).Replace(string(text))
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Overlay = dir
	r, err := render.Render(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := newWorld(t, r, otherPods).connections(); !slices.Equal(got, want) {
		t.Errorf("allowed are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// peer is an end of a connection: a pod, or an address outside of the cluster.
type peer struct {
	name      string
	namespace string // empty outside of the cluster
	labels    labels.Set
	address   netip.Addr
	ports     map[string]int32 // named ones
}

// world is everybody who might talk to each other, and the policies.
type world struct {
	peers      []peer
	policies   []networkingv1.NetworkPolicy
	namespaces map[string]labels.Set
	ports      []port
}

type port struct {
	protocol string
	number   int32
}

// newWorld has the pods of an overlay, and beside them one that zr makes to push by,
// and strangers: a pod of the same namespace that no policy names, one of another
// namespace that passes itself off as the api, the cluster's DNS server, and an
// address outside.
// Pods have addresses of a range.
func newWorld(t *testing.T, rendered *render.Rendered, pods netip.Prefix) *world {
	pod := func(name, namespace string, set labels.Set, host byte) peer {
		address := pods.Addr().As4()
		address[3] = host
		return peer{name: name, namespace: namespace, labels: set, address: netip.AddrFrom4(address), ports: map[string]int32{}}
	}
	w := &world{
		peers: []peer{
			{name: "outside", address: netip.MustParseAddr("192.0.2.1")},
			pod("dns", "kube-system", labels.Set{"k8s-app": "kube-dns"}, 2),
			pod("stranger", rendered.Namespace, labels.Set{"app": "stranger"}, 3),
			pod("impostor", "elsewhere", labels.Set{"app.kubernetes.io/name": "api"}, 4),
			pod("pusher", rendered.Namespace, labels.Set{layers.Label: "zr-push-test"}, 5),
		},
		namespaces: map[string]labels.Set{},
		// What is not served by anybody has to be closed as well.
		ports: []port{{"UDP", 53}, {"TCP", 53}, {"TCP", 22}, {"TCP", 80}, {"TCP", 443}, {"TCP", 6443}, {"TCP", 10250}, {"TCP", 29798}},
	}
	for _, namespace := range []string{"kube-system", "elsewhere", rendered.Namespace} {
		w.namespaces[namespace] = labels.Set{"kubernetes.io/metadata.name": namespace}
	}
	for i, workload := range rendered.Workloads() {
		p := pod(workload.Name, workload.Namespace, podLabels(t, rendered, workload.Name), byte(10+i))
		for _, c := range workload.Containers {
			for _, declared := range c.Ports {
				p.ports[declared.Name] = declared.Number
				w.ports = append(w.ports, port{declared.Protocol, declared.Number})
			}
		}
		w.peers = append(w.peers, p)
	}
	for _, o := range rendered.Objects {
		if o.GetKind() == "NetworkPolicy" {
			var policy networkingv1.NetworkPolicy
			convert(t, o.Unstructured, &policy)
			w.policies = append(w.policies, policy)
		}
	}
	return w
}

// connections lists everything that is allowed, but for what has neither end
// among the pods of the overlay's namespace.
func (w *world) connections() []string {
	var out []string
	for _, from := range w.peers {
		for _, to := range w.peers {
			if !w.governed(from) && !w.governed(to) {
				continue
			}
			for _, p := range w.ports {
				if w.allows(from, to, to, p, networkingv1.PolicyTypeEgress) && w.allows(to, from, to, p, networkingv1.PolicyTypeIngress) {
					out = append(out, fmt.Sprintf("%s -> %s %s %d", from.name, to.name, p.protocol, p.number))
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (w *world) governed(p peer) bool {
	return slices.ContainsFunc(w.policies, func(policy networkingv1.NetworkPolicy) bool { return policy.Namespace == p.namespace })
}

// allows says whether the policies of one end let it talk with the other, in
// one direction. No policy for an end means that it may; several add up.
func (w *world) allows(end, other, server peer, p port, direction networkingv1.PolicyType) bool {
	isolated := false
	for _, policy := range w.policies {
		if policy.Namespace != end.namespace || end.namespace == "" || !matches(policy.Spec.PodSelector, end.labels) || !slices.Contains(policy.Spec.PolicyTypes, direction) {
			continue
		}
		isolated = true
		if direction == networkingv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				if w.peerIn(rule.From, policy.Namespace, other) && portIn(rule.Ports, server, p) {
					return true
				}
			}
			continue
		}
		for _, rule := range policy.Spec.Egress {
			if w.peerIn(rule.To, policy.Namespace, other) && portIn(rule.Ports, server, p) {
				return true
			}
		}
	}
	return !isolated
}

// peerIn says whether a rule's list of peers has the other end in it. An empty
// list means everybody.
func (w *world) peerIn(list []networkingv1.NetworkPolicyPeer, namespace string, other peer) bool {
	if len(list) == 0 {
		return true
	}
	for _, entry := range list {
		if entry.IPBlock != nil {
			if inBlock(*entry.IPBlock, other.address) {
				return true
			}
			continue
		}
		if other.namespace == "" {
			continue
		}
		inNamespace := other.namespace == namespace
		if entry.NamespaceSelector != nil {
			inNamespace = matches(*entry.NamespaceSelector, w.namespaces[other.namespace])
		}
		if inNamespace && (entry.PodSelector == nil || matches(*entry.PodSelector, other.labels)) {
			return true
		}
	}
	return false
}

// inBlock is true for pods too: whether a block may match them is up to the
// network plugin, and with most of them it does.
func inBlock(block networkingv1.IPBlock, address netip.Addr) bool {
	if !netip.MustParsePrefix(block.CIDR).Contains(address) {
		return false
	}
	return !slices.ContainsFunc(block.Except, func(except string) bool { return netip.MustParsePrefix(except).Contains(address) })
}

// portIn says whether a rule's list of ports has the port in it. An empty list
// means all; names are those of the pod that serves.
func portIn(list []networkingv1.NetworkPolicyPort, server peer, p port) bool {
	if len(list) == 0 {
		return true
	}
	for _, entry := range list {
		protocol := "TCP"
		if entry.Protocol != nil {
			protocol = string(*entry.Protocol)
		}
		if protocol != p.protocol {
			continue
		}
		switch {
		case entry.Port == nil:
			return true
		case entry.Port.Type == intstr.String:
			if number, ok := server.ports[entry.Port.StrVal]; ok && number == p.number {
				return true
			}
		case entry.EndPort != nil:
			if p.number >= entry.Port.IntVal && p.number <= *entry.EndPort {
				return true
			}
		case entry.Port.IntVal == p.number:
			return true
		}
	}
	return false
}

func matches(selector metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(&selector)
	return err == nil && s.Matches(set)
}

// TestTheEvaluation shows that policies other than the stack's are read as
// Kubernetes reads them.
func TestTheEvaluation(t *testing.T) {
	tcp, number, end := metav1.LabelSelector{}, intstr.FromInt32(8000), int32(8010)
	named := intstr.FromString("http")
	policy := func(spec networkingv1.NetworkPolicySpec) networkingv1.NetworkPolicy {
		p := networkingv1.NetworkPolicy{Spec: spec}
		p.Namespace = "a"
		return p
	}
	from := func(peers []networkingv1.NetworkPolicyPeer, ports ...networkingv1.NetworkPolicyPort) networkingv1.NetworkPolicySpec {
		return networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: peers, Ports: ports}},
		}
	}
	x := peer{name: "x", namespace: "a", labels: labels.Set{"app": "x"}, address: netip.MustParseAddr("10.0.0.1"), ports: map[string]int32{"http": 8005}}
	y := peer{name: "y", namespace: "b", labels: labels.Set{"app": "y"}, address: netip.MustParseAddr("10.0.0.2")}
	for _, test := range []struct {
		name string
		spec networkingv1.NetworkPolicySpec
		want string
	}{
		{"empty rule", from(nil), "8000 8005 9000"},
		{"no rule", networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}}, ""},
		{"another direction", networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}}, "8000 8005 9000"},
		{"another pod", func() networkingv1.NetworkPolicySpec {
			s := from(nil)
			s.Ingress, s.PodSelector.MatchLabels = nil, map[string]string{"app": "z"}
			return s
		}(), "8000 8005 9000"},
		{"pods of its own namespace", from([]networkingv1.NetworkPolicyPeer{{PodSelector: &tcp}}), ""},
		{"pods of any namespace", from([]networkingv1.NetworkPolicyPeer{{NamespaceSelector: &tcp}}), "8000 8005 9000"},
		{"a block", from([]networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "10.0.0.0/8", Except: []string{"10.0.0.1/32"}}}}), "8000 8005 9000"},
		{"not in the block", from([]networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "10.0.0.0/8", Except: []string{"10.0.0.2/32"}}}}), ""},
		{"a port", from(nil, networkingv1.NetworkPolicyPort{Port: &number}), "8000"},
		{"a range", from(nil, networkingv1.NetworkPolicyPort{Port: &number, EndPort: &end}), "8000 8005"},
		{"a named port", from(nil, networkingv1.NetworkPolicyPort{Port: &named}), "8005"},
	} {
		w := &world{
			policies:   []networkingv1.NetworkPolicy{policy(test.spec)},
			namespaces: map[string]labels.Set{"a": {}, "b": {}},
		}
		var got []string
		for _, n := range []int32{8000, 8005, 9000} {
			if w.allows(x, y, x, port{"TCP", n}, networkingv1.PolicyTypeIngress) {
				got = append(got, fmt.Sprint(n))
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: open are %v, want %s", test.name, got, test.want)
		}
	}
}
