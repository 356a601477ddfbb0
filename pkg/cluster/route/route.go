// Package route asks the nodes of a cluster for the way to its pods. The API says
// where Services shall lead; kube-proxy writes that into the rules of a node's
// kernel, some milliseconds later as a rule, and seconds later on a busy machine.
// Whether a pod listens at its end, the API does not know at all.
package route

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"zr/pkg/cluster"
	"zr/pkg/diagnose"
)

// look prints the rules of a node, and then a line for each address among its
// arguments that accepts a connection: a node reaches its own pods, whatever their
// NetworkPolicies say.
const look = `iptables-save -t nat || exit
for address; do
	timeout 1 bash -c "exec 3<>/dev/tcp/${address%:*}/${address##*:}" 2>/dev/null && echo "` + accepts + `$address" &
done
wait`

const accepts = "accepts "

// Look asks each node for its rules, and which of the addresses of pods accept a
// connection. The result is by the name of the node; the table of one of which the
// kube-proxy writes other rules than those of iptables, its default, is empty.
func Look(ctx context.Context, nodes []cluster.Node, pods []string) (map[string]diagnose.View, error) {
	views := map[string]diagnose.View{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range nodes {
		group.Go(func() error {
			var out bytes.Buffer
			if err := n.Run(ctx, nil, &out, append([]string{"bash", "-c", look, "look"}, pods...)...); err != nil {
				return err
			}
			view := parse(&out)
			mu.Lock()
			defer mu.Unlock()
			views[n.Name()] = view
			return nil
		})
	}
	return views, group.Wait()
}

// parse reads what look prints. In the rules of the table nat, kube-proxy leads an
// address of a Service from the chain KUBE-SERVICES to one chain for each of its ports.
// From there it leads to one chain for each pod, and from there to the pod's address.
func parse(out io.Reader) diagnose.View {
	view := diagnose.View{Table: diagnose.Table{}, Accepts: map[string]bool{}}
	services := map[string]string{}   // the chain of a port, by its address
	jumps := map[string][]string{}    // to where, by the chain
	backends := map[string][]string{} // the addresses of pods, by the chain
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if address, ok := strings.CutPrefix(in.Text(), accepts); ok {
			view.Accepts[address] = true
			continue
		}
		chain, rule, ok := strings.Cut(strings.TrimPrefix(in.Text(), "-A "), " ")
		if !ok || !strings.HasPrefix(chain, "KUBE-") {
			continue
		}
		target := option(rule, "-j")
		switch {
		case chain == "KUBE-SERVICES":
			if ip, port := strings.TrimSuffix(option(rule, "-d"), "/32"), option(rule, "--dport"); ip != "" && port != "" {
				services[ip+":"+port+"/"+option(rule, "-p")] = target
			}
		case target == "DNAT":
			backends[chain] = append(backends[chain], option(rule, "--to-destination"))
		default:
			jumps[chain] = append(jumps[chain], target)
		}
	}
	for address, chain := range services {
		var led []string
		for _, pod := range jumps[chain] {
			led = append(led, backends[pod]...)
		}
		slices.Sort(led)
		view.Table[address] = slices.Compact(led)
	}
	return view
}

// option returns the word after a flag of a rule. The text of a comment may hold
// one too, in quotes: the last that stands outside of them counts.
func option(rule, flag string) string {
	var found string
	words := strings.Fields(unquoted(rule))
	for i, w := range words[:max(0, len(words)-1)] {
		if w == flag {
			found = words[i+1]
		}
	}
	return found
}

// unquoted leaves out what stands in quotes.
func unquoted(rule string) string {
	var out strings.Builder
	for i, part := range strings.Split(strings.ReplaceAll(rule, `\"`, ""), `"`) {
		if i%2 == 0 {
			out.WriteString(part)
		}
	}
	return out.String()
}
