package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
)

// routeProtocol marks the routes of this program, so that those of a node that
// left can be told from the machine's own. The number is nobody else's in
// /etc/iproute2/rt_protos.
const routeProtocol = 98

// syncRoutes makes the pods of other nodes reachable through those nodes, and
// removes routes to nodes that are gone.
func syncRoutes(peers []*v1.Node) error {
	wanted, err := wantedRoutes(peers)
	if err != nil {
		return err
	}
	present, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Protocol: routeProtocol}, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return fmt.Errorf("listing routes: %w", err)
	}
	var problems []error
	for _, route := range present {
		if route.Dst == nil {
			continue
		}
		to, err := netip.ParsePrefix(route.Dst.String())
		if err != nil {
			continue
		}
		via, _ := netip.AddrFromSlice(route.Gw)
		if wanted[to] == via.Unmap() {
			delete(wanted, to)
			continue
		}
		if _, ok := wanted[to]; !ok {
			problems = append(problems, netlink.RouteDel(&route))
		}
	}
	for to, via := range wanted {
		err := netlink.RouteReplace(&netlink.Route{
			Dst:      &net.IPNet{IP: to.Addr().AsSlice(), Mask: net.CIDRMask(to.Bits(), to.Addr().BitLen())},
			Gw:       via.AsSlice(),
			Protocol: routeProtocol,
		})
		if err != nil {
			problems = append(problems, fmt.Errorf("routing %s via %s: %w", to, via, err))
		}
	}
	return errors.Join(problems...)
}

// wantedRoutes returns the gateway for each range of each other node.
func wantedRoutes(peers []*v1.Node) (map[netip.Prefix]netip.Addr, error) {
	routes := map[netip.Prefix]netip.Addr{}
	for _, peer := range peers {
		ranges, err := parsePrefixes(peer.Spec.PodCIDRs)
		if err != nil {
			return nil, fmt.Errorf("node %s: pod ranges: %w", peer.Name, err)
		}
		for _, address := range peer.Status.Addresses {
			if address.Type != v1.NodeInternalIP {
				continue
			}
			via, err := netip.ParseAddr(address.Address)
			if err != nil {
				return nil, fmt.Errorf("node %s: address: %w", peer.Name, err)
			}
			for _, to := range ranges {
				if to.Addr().Is4() == via.Is4() {
					routes[to] = via
				}
			}
		}
	}
	return routes, nil
}
