// Package network is the pods' network of a kind cluster's node: addresses
// from the node's own range, routes to the ranges of the other nodes, a
// masquerade for what leaves the cluster, and the NetworkPolicies that apply
// to the node's pods. It runs on every node.
//
// Everything is made anew from what the API and the node say whenever that
// changes, and written only where it differs, so there is no state to lose.
package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/signal"
	"strings"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"zr/images/kindnode/nodeclient"
)

const (
	// resync is how often everything is compared again, in case somebody else
	// changed what this program made.
	resync = 30 * time.Second
	// quiet is how long changes are collected, from the first on. Pods come in
	// groups, and a pod waits for nothing here.
	quiet = 5 * time.Millisecond
	// retry is how long after a failure the next attempt is.
	retry = time.Second
)

// Main runs until it is told to end.
func Main() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	client, err := nodeclient.New()
	if err != nil {
		return err
	}
	subnets, err := parsePrefixes(client.PodSubnets)
	if err != nil {
		return err
	}
	return run(ctx, client, client.Node, subnets)
}

// controller holds what it watches and what it wrote last.
type controller struct {
	node    string
	subnets []netip.Prefix
	changed chan struct{}

	nodes      cache.Indexer
	pods       cache.Indexer
	namespaces cache.Indexer
	policies   cache.Indexer
	local      *localPods

	rules    string // the firewall as it was written last
	conflist string
}

func run(ctx context.Context, client kubernetes.Interface, node string, subnets []netip.Prefix) error {
	factory := informers.NewSharedInformerFactory(client, resync)
	c := &controller{node: node, subnets: subnets, changed: make(chan struct{}, 1)}
	for _, watch := range []struct {
		indexer  *cache.Indexer
		informer cache.SharedIndexInformer
	}{
		{&c.nodes, factory.Core().V1().Nodes().Informer()},
		{&c.pods, factory.Core().V1().Pods().Informer()},
		{&c.namespaces, factory.Core().V1().Namespaces().Informer()},
		{&c.policies, factory.Networking().V1().NetworkPolicies().Informer()},
	} {
		*watch.indexer = watch.informer.GetIndexer()
		_, err := watch.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { c.signal() }, UpdateFunc: func(any, any) { c.signal() }, DeleteFunc: func(any) { c.signal() },
		})
		if err != nil {
			return err
		}
	}
	var err error
	if c.local, err = watchLocalPods(ctx, resultsDir, c.signal); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("listing %v: %w", kind, context.Cause(ctx))
		}
	}
	klog.InfoS("Serving the pods' network", "node", node, "subnets", subnets)
	c.loop(ctx)
	return nil
}

// signal says that something changed. It never blocks.
func (c *controller) signal() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *controller) loop(ctx context.Context) {
	ticker := time.NewTicker(resync)
	defer ticker.Stop()
	for {
		if err := c.sync(ctx); err != nil && ctx.Err() == nil {
			klog.ErrorS(err, "Will try again")
			time.AfterFunc(retry, c.signal)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.rules = "" // write them again, whatever they are
		case <-c.changed:
			select {
			case <-ctx.Done():
				return
			case <-time.After(quiet):
			}
		}
	}
}

// sync makes the node be as the API says.
func (c *controller) sync(ctx context.Context) error {
	self, peers := c.split()
	if self == nil || len(self.Spec.PodCIDRs) == 0 {
		return nil // the node gets its range within seconds of joining
	}
	ranges, err := parsePrefixes(self.Spec.PodCIDRs)
	if err != nil {
		return fmt.Errorf("node %s: pod ranges: %w", c.node, err)
	}
	rulesErr := c.writeRules(ctx)
	return errors.Join(
		rulesErr,
		c.writeConflist(ranges, rulesErr != nil),
		syncRoutes(peers),
	)
}

// split returns this node and the others.
func (c *controller) split() (self *v1.Node, peers []*v1.Node) {
	for _, object := range c.nodes.List() {
		node := object.(*v1.Node)
		if node.Name == c.node {
			self = node
			continue
		}
		peers = append(peers, node)
	}
	return self, peers
}

// writeRules writes the firewall where it changed.
func (c *controller) writeRules(ctx context.Context) error {
	rules := masquerade(c.subnets) + policyRules(c.snapshot())
	if rules == c.rules {
		return nil
	}
	if err := loadRules(ctx, rules); err != nil {
		c.rules = ""
		return err
	}
	c.rules = rules
	return nil
}

// snapshot collects what policies are made of.
func (c *controller) snapshot() cluster {
	s := cluster{node: c.node, local: c.local.ips()}
	for _, object := range c.pods.List() {
		s.pods = append(s.pods, object.(*v1.Pod))
	}
	for _, object := range c.namespaces.List() {
		s.namespaces = append(s.namespaces, object.(*v1.Namespace))
	}
	for _, object := range c.policies.List() {
		s.policies = append(s.policies, object.(*networkingv1.NetworkPolicy))
	}
	return s
}

func parsePrefixes(texts []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range texts {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, p.Masked())
	}
	return prefixes, nil
}

// family is nft's name of the address family.
func family(a netip.Addr) string {
	if a.Is4() {
		return "ip"
	}
	return "ip6"
}

func byAddr(a, b netip.Addr) int { return a.Compare(b) }

func byPrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
