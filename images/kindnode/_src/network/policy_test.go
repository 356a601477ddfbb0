package network

import (
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestPolicyRules(t *testing.T) {
	udp := v1.ProtocolUDP
	api, db := map[string]string{"app": "api"}, map[string]string{"app": "db"}
	base := cluster{
		node: "here",
		pods: []*v1.Pod{
			pod("shop", "api", "here", "10.0.0.2", api),
			pod("shop", "db", "here", "10.0.0.3", db, v1.ContainerPort{Name: "sql", ContainerPort: 5432}),
			pod("shop", "far", "there", "10.0.1.2", api),
			pod("kube-system", "dns", "here", "10.0.0.4", map[string]string{"k8s-app": "dns"}),
		},
		namespaces: []*v1.Namespace{namespace("shop"), namespace("kube-system")},
	}
	port := func(p intstr.IntOrString) []networkingv1.NetworkPolicyPort {
		return []networkingv1.NetworkPolicyPort{{Port: &p}}
	}
	everyone := metav1.LabelSelector{}
	tests := map[string]struct {
		policy networkingv1.NetworkPolicySpec
		want   map[string][]string // chain → what may pass
	}{
		"deny by default": {
			networkingv1.NetworkPolicySpec{PodSelector: everyone, PolicyTypes: []networkingv1.PolicyType{"Ingress", "Egress"}},
			map[string][]string{"ingress-10-0-0-2": {}, "egress-10-0-0-2": {}, "ingress-10-0-0-3": {}, "egress-10-0-0-3": {}},
		},
		"a named port for pods of any node": {
			networkingv1.NetworkPolicySpec{
				PodSelector: metav1.LabelSelector{MatchLabels: db},
				Ingress: []networkingv1.NetworkPolicyIngressRule{{
					From:  []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: api}}},
					Ports: port(intstr.FromString("sql")),
				}},
			},
			map[string][]string{"ingress-10-0-0-3": {"ip saddr { 10.0.0.2, 10.0.1.2 } tcp dport 5432"}},
		},
		"another namespace, a protocol, a named port of the peer": {
			networkingv1.NetworkPolicySpec{
				PodSelector: metav1.LabelSelector{MatchLabels: api},
				PolicyTypes: []networkingv1.PolicyType{"Egress"},
				Egress: []networkingv1.NetworkPolicyEgressRule{
					{
						To: []networkingv1.NetworkPolicyPeer{{
							NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": "kube-system"}},
						}},
						Ports: []networkingv1.NetworkPolicyPort{{Protocol: &udp}},
					},
					{To: []networkingv1.NetworkPolicyPeer{{PodSelector: &everyone}}, Ports: port(intstr.FromString("sql"))},
				},
			},
			map[string][]string{"egress-10-0-0-2": {"ip daddr { 10.0.0.4 } meta l4proto udp", "ip daddr { 10.0.0.3 } tcp dport 5432"}},
		},
		"a range with holes": {
			networkingv1.NetworkPolicySpec{
				PodSelector: metav1.LabelSelector{MatchLabels: api},
				Ingress: []networkingv1.NetworkPolicyIngressRule{{
					From:  []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "10.1.2.3/8", Except: []string{"10.9.0.0/16"}}}},
					Ports: port(intstr.FromInt32(80)),
				}},
			},
			map[string][]string{"ingress-10-0-0-2": {"ip saddr 10.0.0.0/8 ip saddr != { 10.9.0.0/16 } tcp dport 80"}},
		},
		"everybody": {
			networkingv1.NetworkPolicySpec{
				PodSelector: metav1.LabelSelector{MatchLabels: db},
				Ingress:     []networkingv1.NetworkPolicyIngressRule{{}},
			},
			map[string][]string{"ingress-10-0-0-3": {""}},
		},
		"nobody that is there": {
			networkingv1.NetworkPolicySpec{
				PodSelector: metav1.LabelSelector{MatchLabels: db},
				Ingress: []networkingv1.NetworkPolicyIngressRule{{
					From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "none"}}}},
				}},
			},
			map[string][]string{"ingress-10-0-0-3": {}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := base
			c.policies = []*networkingv1.NetworkPolicy{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "p"}, Spec: test.policy}}
			text := policyRules(c)
			got := chains(text)
			if len(got) != len(test.want) {
				t.Errorf("%d chains, want %d:\n%s", len(got), len(test.want), text)
			}
			for chain, lines := range test.want {
				if !slices.Equal(got[chain], lines) {
					t.Errorf("%s = %q, want %q", chain, got[chain], lines)
				}
				address := strings.ReplaceAll(chain[strings.Index(chain, "-")+1:], "-", ".")
				if !strings.Contains(text, address+" : jump "+chain) {
					t.Errorf("nothing leads to %s:\n%s", chain, text)
				}
			}
			checkSyntax(t, text)
		})
	}
}

func TestNoPolicyNoRules(t *testing.T) {
	text := policyRules(cluster{node: "here", pods: []*v1.Pod{pod("a", "b", "here", "10.0.0.2", nil)}})
	if strings.Contains(text, "chain") {
		t.Errorf("rules without a policy:\n%s", text)
	}
	checkSyntax(t, text+masquerade([]netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("fd00::/56")}))
}

// An address counts from when the node gives it, before the API knows it.
func TestLocalAddressCounts(t *testing.T) {
	p := pod("shop", "api", "here", "", nil)
	p.Status.PodIPs = nil
	c := cluster{
		node: "here", pods: []*v1.Pod{p},
		local:    map[string][]netip.Addr{"shop/api": {netip.MustParseAddr("10.0.0.9")}},
		policies: []*networkingv1.NetworkPolicy{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}}},
	}
	if got := chains(policyRules(c)); got["ingress-10-0-0-9"] == nil {
		t.Errorf("chains = %v", got)
	}
}

// chains returns what each pod's chain lets through.
func chains(text string) map[string][]string {
	found := map[string][]string{}
	current := ""
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) > 1 && fields[0] == "chain" && strings.Contains(fields[1], "-"):
			current = fields[1]
			found[current] = []string{}
		case len(fields) > 0 && fields[0] == "}":
			current = ""
		case current != "" && len(fields) > 0 && fields[len(fields)-1] == "return":
			found[current] = append(found[current], strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "return")))
		}
	}
	return found
}

// checkSyntax asks nft, where it is installed, whether it can read the rules.
func checkSyntax(t *testing.T, text string) {
	t.Helper()
	nft, err := exec.LookPath("nft")
	if err != nil {
		return
	}
	cmd := exec.Command(nft, "--check", "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil && !strings.Contains(string(out), "Operation not permitted") {
		t.Errorf("nft: %v: %s\n%s", err, out, text)
	}
}

func pod(namespace, name, node, ip string, set map[string]string, ports ...v1.ContainerPort) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: set},
		Spec:       v1.PodSpec{NodeName: node, Containers: []v1.Container{{Ports: ports}}},
		Status:     v1.PodStatus{PodIPs: []v1.PodIP{{IP: ip}}},
	}
}

func namespace(name string) *v1.Namespace {
	return &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}}}
}
