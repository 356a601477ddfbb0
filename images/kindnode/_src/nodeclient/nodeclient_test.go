package nodeclient

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	subnets, endpoint, err := parse(`kind: ClusterConfiguration
controlPlaneEndpoint: demo-control-plane:6443
networking:
  podSubnet: 10.244.0.0/16,fd00:10:244::/56
  serviceSubnet: 10.96.0.0/16
---
kind: JoinConfiguration
`)
	if want := []string{"10.244.0.0/16", "fd00:10:244::/56"}; err != nil || !slices.Equal(subnets, want) || endpoint != "demo-control-plane:6443" {
		t.Errorf("settings = %v, %q, %v", subnets, endpoint, err)
	}
	for _, text := range []string{"", "controlPlaneEndpoint: host\n  podSubnet: 10.0.0.0/8\n"} {
		if _, _, err := parse(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}
