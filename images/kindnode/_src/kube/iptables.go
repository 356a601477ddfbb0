package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
)

// iptablesDir holds a folder of iptables programs for each back end, in the
// image of kube-proxy only.
const iptablesDir = "/usr/lib/iptables"

// chooseIptables puts the programs of the back end that the kubelet of this
// node uses first in PATH. The node chooses its back end at each boot; rules
// that kube-proxy wrote to the other one would be evaluated apart from those
// of the kubelet and the CNI plugins.
func chooseIptables() {
	for _, mode := range []string{"nft", "legacy"} {
		dir := filepath.Join(iptablesDir, mode)
		if usedBy(dir) {
			_ = os.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			return
		}
	}
	_ = os.Setenv("PATH", filepath.Join(iptablesDir, "legacy")+":"+os.Getenv("PATH"))
}

// usedBy says whether the kubelet's marker chains are there as the programs
// in dir see it.
func usedBy(dir string) bool {
	for _, save := range []string{"iptables-save", "ip6tables-save"} {
		rules, err := exec.Command(filepath.Join(dir, save), "-t", "mangle").Output()
		if err != nil {
			continue
		}
		if bytes.Contains(rules, []byte("KUBE-IPTABLES-HINT")) || bytes.Contains(rules, []byte("KUBE-KUBELET-CANARY")) {
			return true
		}
	}
	return false
}
