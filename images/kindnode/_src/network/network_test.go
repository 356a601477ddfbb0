package network

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWantedRoutes(t *testing.T) {
	peer := func(name, podRange, address string) *v1.Node {
		return &v1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       v1.NodeSpec{PodCIDRs: []string{podRange}},
			Status:     v1.NodeStatus{Addresses: []v1.NodeAddress{{Type: v1.NodeHostName, Address: name}, {Type: v1.NodeInternalIP, Address: address}}},
		}
	}
	joining := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "joining"}}
	got, err := wantedRoutes([]*v1.Node{peer("a", "10.244.1.0/24", "10.89.0.3"), peer("b", "10.244.2.0/24", "fc00::3"), joining})
	if err != nil {
		t.Fatal(err)
	}
	want := netip.MustParseAddr("10.89.0.3")
	if len(got) != 1 || got[netip.MustParsePrefix("10.244.1.0/24")] != want {
		t.Errorf("routes = %v", got)
	}
}

func TestConflist(t *testing.T) {
	text, err := conflist([]netip.Prefix{netip.MustParsePrefix("10.244.3.0/24"), netip.MustParsePrefix("fd00::/64")}, false, 1450)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Name    string
		Plugins []struct {
			Type   string
			IPMasq bool
			MTU    int
			IPAM   struct {
				Ranges [][]struct{ Subnet string }
				Routes []struct{ Dst string }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	ptp := read.Plugins[0]
	if read.Name != "zr" || ptp.Type != "ptp" || ptp.IPMasq || ptp.MTU != 1450 ||
		ptp.IPAM.Ranges[1][0].Subnet != "fd00::/64" || ptp.IPAM.Routes[1].Dst != "::/0" || read.Plugins[1].Type != "portmap" {
		t.Errorf("conflist = %s", text)
	}
}

func TestLocalPods(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir := t.TempDir()
	changed := make(chan struct{}, 16)
	result := func(network, pod, ip string) []byte {
		return []byte(`{"networkName":"` + network + `","cniArgs":[["K8S_POD_NAMESPACE","shop"],["K8S_POD_NAME","` + pod + `"]],"result":{"ips":[{"address":"` + ip + `/24"}]}}`)
	}
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("cni-loopback-1-lo", result("cni-loopback", "api", "127.0.0.1"))
	write("zr-1-eth0", result("zr", "api", "10.244.0.2"))
	l, err := watchLocalPods(ctx, dir, func() { changed <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	want := netip.MustParseAddr("10.244.0.2")
	if got := l.ips(); len(got) != 1 || len(got["shop/api"]) != 1 || got["shop/api"][0] != want {
		t.Errorf("ips = %v", got)
	}
	write("zr-2-eth0", result("zr", "db", "10.244.0.3"))
	for l.ips()["shop/db"] == nil {
		<-changed
	}
	if err := os.Remove(filepath.Join(dir, "zr-1-eth0")); err != nil {
		t.Fatal(err)
	}
	for l.ips()["shop/api"] != nil {
		<-changed
	}
}
