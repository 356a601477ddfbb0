package network

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
)

// conflistPath is the configuration of the pods' network. The image brings one
// for the first range, so that a single node is ready before this program
// runs; this one takes its place.
const conflistPath = "/etc/cni/net.d/10-zr.conflist"

// writeConflist writes the CNI configuration for the node's ranges, where it
// is not there yet. With masquerade, CNI itself masquerades for each pod.
func (c *controller) writeConflist(ranges []netip.Prefix, masquerade bool) error {
	text, err := conflist(ranges, masquerade, defaultMTU())
	if err != nil || text == c.conflist {
		return err
	}
	// Written beside and renamed: containerd reads the folder when it changes.
	temp, err := os.CreateTemp(filepath.Dir(conflistPath), ".zr-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if _, err := temp.WriteString(text); err != nil {
		temp.Close()
		return err
	}
	if err := temp.Chmod(0o644); err != nil {
		temp.Close()
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), conflistPath); err != nil {
		return err
	}
	c.conflist = text
	return nil
}

func conflist(ranges []netip.Prefix, masquerade bool, mtu int) (string, error) {
	type object = map[string]any
	var pools [][]object
	var routes []object
	for _, r := range ranges {
		pools = append(pools, []object{{"subnet": r.String()}})
		everywhere := "0.0.0.0/0"
		if r.Addr().Is6() {
			everywhere = "::/0"
		}
		routes = append(routes, object{"dst": everywhere})
	}
	text, err := json.MarshalIndent(object{
		"cniVersion": "1.0.0",
		"name":       "zr",
		"plugins": []object{
			{
				"type": "ptp", "ipMasq": masquerade, "mtu": mtu,
				"ipam": object{"type": "host-local", "dataDir": "/run/cni-ipam-state", "routes": routes, "ranges": pools},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}, "", "  ")
	return string(text) + "\n", err
}

// defaultMTU returns that of the interface of the default route, in bytes: a
// pod's packets leave through it. Ethernet's where it cannot be found out.
func defaultMTU() int {
	const ethernet = 1500
	routes, err := netlink.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return ethernet
	}
	for _, route := range routes {
		if route.Dst != nil && route.Dst.String() != "0.0.0.0/0" && route.Dst.String() != "::/0" {
			continue
		}
		if link, err := netlink.LinkByIndex(route.LinkIndex); err == nil && link.Attrs().MTU > 0 {
			return link.Attrs().MTU
		}
	}
	return ethernet
}
