package network

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
)

// The tables of this program. Each is replaced as a whole, in one transaction
// of the kernel.
const (
	natTable    = "zr-masquerade"
	policyTable = "zr-policies"
)

// masquerade returns the rules that give what a pod sends out of the cluster
// the node's address, since nobody outside knows the way to a pod's.
func masquerade(subnets []netip.Prefix) string {
	var text strings.Builder
	for _, subnet := range subnets {
		f := family(subnet.Addr())
		fmt.Fprintf(&text, "table %s %s\ndelete table %[1]s %[2]s\n", f, natTable)
		fmt.Fprintf(&text, "table %s %s {\n\tchain postrouting {\n\t\ttype nat hook postrouting priority 100; policy accept;\n", f, natTable)
		fmt.Fprintf(&text, "\t\t%s saddr %s %[1]s daddr != %[2]s fib daddr type != local masquerade\n\t}\n}\n", f, subnet)
	}
	return text.String()
}

// loadRules hands rules to the kernel: all or nothing.
func loadRules(ctx context.Context, rules string) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
