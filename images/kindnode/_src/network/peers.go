package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// peerMatch is one or more peers as nft matches them. An empty match is
// everybody.
type peerMatch struct {
	match string
	pods  []*v1.Pod // where the peers are pods of the cluster
}

// peers returns who is on the other side of a rule in a namespace.
func (c cluster) peers(peers []networkingv1.NetworkPolicyPeer, namespace string, d direction) []peerMatch {
	if len(peers) == 0 {
		return []peerMatch{{}}
	}
	var matches []peerMatch
	for _, peer := range peers {
		if peer.IPBlock != nil {
			if m, ok := blockMatch(peer.IPBlock, d); ok {
				matches = append(matches, m)
			}
			continue
		}
		matches = append(matches, c.podMatches(peer, namespace, d)...)
	}
	return matches
}

// blockMatch matches a range of addresses less its exceptions.
func blockMatch(block *networkingv1.IPBlock, d direction) (peerMatch, bool) {
	r, err := netip.ParsePrefix(block.CIDR)
	if err != nil {
		return peerMatch{}, false // the API server does not let it in
	}
	f := family(r.Addr())
	match := fmt.Sprintf("%s %s %s ", f, d.peer, r.Masked())
	if len(block.Except) > 0 {
		except, err := parsePrefixes(block.Except)
		if err != nil {
			return peerMatch{}, false
		}
		slices.SortFunc(except, byPrefix)
		texts := make([]string, len(except))
		for i, e := range except {
			texts[i] = e.String()
		}
		match += fmt.Sprintf("%s %s != { %s } ", f, d.peer, strings.Join(texts, ", "))
	}
	return peerMatch{match: match}, true
}

// podMatches matches the pods that a peer selects. Pods with the same named
// ports are matched together.
func (c cluster) podMatches(peer networkingv1.NetworkPolicyPeer, namespace string, d direction) []peerMatch {
	inNamespace := map[string]bool{namespace: true}
	if peer.NamespaceSelector != nil {
		clear(inNamespace)
		for _, ns := range c.namespaces {
			inNamespace[ns.Name] = selects(peer.NamespaceSelector, ns.Labels)
		}
	}
	type group struct {
		addresses map[string][]netip.Addr // by family
		pod       *v1.Pod
	}
	groups := map[string]*group{}
	var order []string
	for _, pod := range c.pods {
		if !inNamespace[pod.Namespace] || peer.PodSelector != nil && !selects(peer.PodSelector, pod.Labels) {
			continue
		}
		ports := namedPorts(pod)
		g, ok := groups[ports]
		if !ok {
			g = &group{map[string][]netip.Addr{}, pod}
			groups[ports] = g
			order = append(order, ports)
		}
		for _, a := range c.addresses(pod) {
			g.addresses[family(a)] = append(g.addresses[family(a)], a)
		}
	}
	var matches []peerMatch
	for _, ports := range order {
		g := groups[ports]
		for _, f := range []string{"ip", "ip6"} {
			addresses := g.addresses[f]
			if len(addresses) == 0 {
				continue
			}
			slices.SortFunc(addresses, byAddr)
			texts := make([]string, 0, len(addresses))
			for _, a := range slices.Compact(addresses) {
				texts = append(texts, a.String())
			}
			match := fmt.Sprintf("%s %s { %s } ", f, d.peer, strings.Join(texts, ", "))
			matches = append(matches, peerMatch{match, []*v1.Pod{g.pod}})
		}
	}
	return matches
}

// namedPorts says which named ports a pod has, so that pods of one kind
// compare equal.
func namedPorts(pod *v1.Pod) string {
	var names []string
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name != "" {
				names = append(names, fmt.Sprintf("%s/%s=%d", port.Protocol, port.Name, port.ContainerPort))
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// portMatches returns what nft matches for a rule's ports, where named ports
// are those of the pods. No ports are all ports.
func portMatches(ports []networkingv1.NetworkPolicyPort, pods []*v1.Pod) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var matches []string
	for _, p := range ports {
		protocol := v1.ProtocolTCP
		if p.Protocol != nil {
			protocol = *p.Protocol
		}
		transport := strings.ToLower(string(protocol))
		switch {
		case p.Port == nil:
			matches = append(matches, "meta l4proto "+transport)
		case p.Port.Type == intstr.Int && p.EndPort != nil:
			matches = append(matches, fmt.Sprintf("%s dport %d-%d", transport, p.Port.IntVal, *p.EndPort))
		case p.Port.Type == intstr.Int:
			matches = append(matches, fmt.Sprintf("%s dport %d", transport, p.Port.IntVal))
		default:
			for _, number := range portsNamed(p.Port.StrVal, protocol, pods) {
				matches = append(matches, transport+" dport "+strconv.Itoa(int(number)))
			}
		}
	}
	return matches
}

func portsNamed(name string, protocol v1.Protocol, pods []*v1.Pod) []int32 {
	var numbers []int32
	for _, pod := range pods {
		for _, container := range pod.Spec.Containers {
			for _, port := range container.Ports {
				same := port.Protocol == protocol || port.Protocol == "" && protocol == v1.ProtocolTCP
				if port.Name == name && same && !slices.Contains(numbers, port.ContainerPort) {
					numbers = append(numbers, port.ContainerPort)
				}
			}
		}
	}
	return numbers
}
