package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// cluster is everything that the rules for one node's pods follow from.
type cluster struct {
	node       string
	pods       []*v1.Pod
	namespaces []*v1.Namespace
	policies   []*networkingv1.NetworkPolicy
	local      map[string][]netip.Addr // addresses that the API may not know yet
}

// direction is a side of a connection, as a policy and as nft call it.
type direction struct {
	policy networkingv1.PolicyType
	chain  string
	self   string // the pod's own side in a packet: saddr or daddr
	peer   string
}

var (
	ingress = direction{networkingv1.PolicyTypeIngress, "ingress", "daddr", "saddr"}
	egress  = direction{networkingv1.PolicyTypeEgress, "egress", "saddr", "daddr"}
)

// policyRules returns the rules that hold the pods of one node to the
// NetworkPolicies that select them. A connection is looked at when it begins;
// what the node itself sends to its pods, such as probes, always passes. What is
// not allowed is refused: a client that is told so asks again at once, where
// one whose packet was dropped waits a second, although it may have been
// allowed since.
func policyRules(c cluster) string {
	var text strings.Builder
	fmt.Fprintf(&text, "table inet %s\ndelete table inet %[1]s\n", policyTable)
	if len(c.policies) == 0 {
		return text.String()
	}
	slices.SortFunc(c.policies, func(a, b *networkingv1.NetworkPolicy) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	slices.SortFunc(c.pods, func(a, b *v1.Pod) int { return strings.Compare(key(a), key(b)) })

	var chains strings.Builder
	jumps := map[string]map[string][]string{} // direction → family → elements
	for _, d := range []direction{egress, ingress} {
		jumps[d.chain] = map[string][]string{}
		for _, pod := range c.pods {
			selecting := c.selecting(pod, d)
			addresses := c.addresses(pod)
			if pod.Spec.NodeName != c.node || len(selecting) == 0 || len(addresses) == 0 {
				continue
			}
			name := d.chain + "-" + strings.NewReplacer(".", "-", ":", "-").Replace(addresses[0].String())
			fmt.Fprintf(&chains, "\tchain %s { # %s\n", name, key(pod))
			for _, line := range c.allowed(pod, selecting, d) {
				fmt.Fprintf(&chains, "\t\t%s return\n", line)
			}
			chains.WriteString("\t\tmeta l4proto tcp reject with tcp reset\n\t\treject\n\t}\n")
			for _, a := range addresses {
				jumps[d.chain][family(a)] = append(jumps[d.chain][family(a)], fmt.Sprintf("%s : jump %s", a, name))
			}
		}
	}
	fmt.Fprintf(&text, "table inet %s {\n%s", policyTable, chains.String())
	hook := func(name string, directions ...direction) {
		fmt.Fprintf(&text, "\tchain %s {\n\t\ttype filter hook %[1]s priority 0; policy accept;\n", name)
		text.WriteString("\t\tct state established,related accept\n")
		for _, d := range directions {
			for _, f := range []string{"ip", "ip6"} {
				if elements := jumps[d.chain][f]; len(elements) > 0 {
					fmt.Fprintf(&text, "\t\t%s %s vmap { %s }\n", f, d.self, strings.Join(elements, ", "))
				}
			}
		}
		text.WriteString("\t}\n")
	}
	hook("forward", egress, ingress)
	hook("input", egress) // what a pod sends to the node, the API among it
	text.WriteString("}\n")
	return text.String()
}

func key(pod *v1.Pod) string { return pod.Namespace + "/" + pod.Name }

// addresses returns a pod's own addresses; one in the node's network has none.
func (c cluster) addresses(pod *v1.Pod) []netip.Addr {
	if pod.Spec.HostNetwork || pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed {
		return nil
	}
	found := slices.Clone(c.local[key(pod)])
	for _, ip := range pod.Status.PodIPs {
		if a, err := netip.ParseAddr(ip.IP); err == nil {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, byAddr)
	return slices.Compact(found)
}

// selecting returns the policies that isolate a pod in a direction.
func (c cluster) selecting(pod *v1.Pod, d direction) []*networkingv1.NetworkPolicy {
	var found []*networkingv1.NetworkPolicy
	for _, p := range c.policies {
		if p.Namespace == pod.Namespace && governs(p, d) && selects(&p.Spec.PodSelector, pod.Labels) {
			found = append(found, p)
		}
	}
	return found
}

// governs says whether a policy is about a direction. One that does not say is
// about what comes in, and about what goes out if it has rules for that.
func governs(p *networkingv1.NetworkPolicy, d direction) bool {
	if len(p.Spec.PolicyTypes) > 0 {
		return slices.Contains(p.Spec.PolicyTypes, d.policy)
	}
	return d == ingress || len(p.Spec.Egress) > 0
}

// selects says whether a selector matches. One that cannot be read matches
// nothing; the API server does not let such a one in.
func selects(selector *metav1.LabelSelector, set map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(set))
}

// rule is a rule of either direction.
type rule struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

func rulesOf(p *networkingv1.NetworkPolicy, d direction) []rule {
	var rules []rule
	if d == ingress {
		for _, r := range p.Spec.Ingress {
			rules = append(rules, rule{r.From, r.Ports})
		}
		return rules
	}
	for _, r := range p.Spec.Egress {
		rules = append(rules, rule{r.To, r.Ports})
	}
	return rules
}

// allowed returns what nft matches for each connection that may be made,
// without doubles.
func (c cluster) allowed(pod *v1.Pod, policies []*networkingv1.NetworkPolicy, d direction) []string {
	var lines []string
	for _, p := range policies {
		for _, r := range rulesOf(p, d) {
			for _, peer := range c.peers(r.peers, p.Namespace, d) {
				// A named port is one of the pod that is connected to.
				named := peer.pods
				if d == ingress {
					named = []*v1.Pod{pod}
				}
				for _, port := range portMatches(r.ports, named) {
					if line := strings.TrimSpace(peer.match + port); !slices.Contains(lines, line) {
						lines = append(lines, line)
					}
				}
			}
		}
	}
	return lines
}
