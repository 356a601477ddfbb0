package engine

import "testing"

func TestFreezerOf(t *testing.T) {
	for _, tt := range []struct{ cgroups, want string }{
		{"9:name=systemd:/libpod_parent/libpod-abc/init.scope\n6:freezer:/libpod_parent/libpod-abc\n0::/\n", "/libpod_parent/libpod-abc"},
		{"6:freezer:/docker/abc/init.scope\n", "/docker/abc"},
		{"6:freezer:/system.slice/docker-abc.scope/kubelet\n", "/system.slice/docker-abc.scope"},
		{"6:freezer:/\n", ""}, // a freezer that the engine does not use
		{"0::/machine.slice/libpod-abc.scope\n", ""},
	} {
		if got := freezerOf(tt.cgroups, "abc"); got != tt.want {
			t.Errorf("freezerOf(%q) = %q, want %q", tt.cgroups, got, tt.want)
		}
	}
}
