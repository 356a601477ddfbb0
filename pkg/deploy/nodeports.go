package deploy

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
)

// HeldPort is a port of the nodes that a Service of the cluster has.
type HeldPort struct {
	Namespace string
	Service   string // of the manifests, also where the Service that has it was added by AddNodePorts
	Added     bool   // it was
	Port      int32  // the Service's own
	NodePort  int32
	Own       bool // the Service is one of this set's

	set string // the ID of the ApplySet that it is in
}

// HeldPorts returns the TCP ports of the nodes that Services of all namespaces have.
func (d *Deployer) HeldPorts(ctx context.Context) ([]HeldPort, error) {
	services, err := d.list(ctx, manifest.ServiceKind, "", "")
	if err != nil {
		return nil, d.reachable(err)
	}
	var out []HeldPort
	for _, s := range services {
		labels := s.GetLabels()
		held := HeldPort{Namespace: s.GetNamespace(), Service: s.GetName(), set: labels[manifest.PartOfLabel]}
		held.Own = held.set != "" && held.set == manifest.SetID(d.set, held.Namespace)
		if of := labels[render.NodePortOfLabel]; of != "" {
			held.Service, held.Added = of, true
		}
		for _, p := range manifest.Items(manifest.At(s.Object, "spec"), "ports") {
			node, _ := p["nodePort"].(int64)
			port, _ := p["port"].(int64)
			if node != 0 && manifest.Text(p, "protocol") == "TCP" { // the server fills it in
				held.Port, held.NodePort = int32(port), int32(node)
				out = append(out, held)
			}
		}
	}
	return out, nil
}

// OwnerOf names the environment whose Service has a port, or "" where it is
// none of zr's.
func (d *Deployer) OwnerOf(ctx context.Context, p HeldPort) (string, error) {
	if p.set == "" {
		return "", nil
	}
	parents, err := d.list(ctx, manifest.SecretKind, "", state.IDLabel+"="+p.set)
	if err != nil || len(parents) == 0 {
		return "", err
	}
	return parents[0].GetName(), nil
}

// holders returns the Services that will be pruned and hold a port of the node
// that an object asks for: a Service that was renamed. They have to go first.
func (cs *ChangeSet) holders(o *render.Object) []member {
	var out []member
	for _, m := range cs.pruned {
		if shareNodePort(m.live, o.Unstructured) {
			out = append(out, m)
		}
	}
	return out
}

// yields says whether a port of the node that an object asks for is held by an
// object that is rendered with another one now. As soon as that is applied, the
// port is free.
func (l *live) yields(r *render.Rendered, o *render.Object) bool {
	return slices.ContainsFunc(r.Objects, func(other *render.Object) bool {
		live := l.objects[manifest.Key(other.Unstructured)]
		return live != nil && other != o && shareNodePort(live, o.Unstructured) && !shareNodePort(other.Unstructured, o.Unstructured)
	})
}

// release takes the NodePorts from Services that exchange theirs: each waits for
// another to give up its port, and all for ever. They are no Services of the nodes
// for the moment, and keep their addresses in the cluster.
func (a *application) release(ctx context.Context) error {
	for _, i := range a.cs.items {
		exchanged := i.yielded && i.live != nil && slices.ContainsFunc(a.cs.items, func(other *item) bool {
			return other != i && other.yielded && shareNodePort(i.live, other.object.Unstructured)
		})
		if !exchanged {
			continue
		}
		inside := &render.Object{Unstructured: i.object.DeepCopy(), Kind: i.object.Kind}
		spec := manifest.Need(inside.Object, "spec")
		spec["type"] = "ClusterIP"
		for _, field := range []string{"externalTrafficPolicy", "healthCheckNodePort", "allocateLoadBalancerNodePorts", "loadBalancerClass", "loadBalancerSourceRanges"} {
			delete(spec, field) // the server takes them of the other types only
		}
		for _, port := range manifest.Items(spec, "ports") {
			delete(port, "nodePort")
		}
		if _, err := a.d.patch(ctx, inside, i.force, false); err != nil {
			return a.d.refused(a.r, i.object, err)
		}
	}
	return nil
}

func shareNodePort(a, b *unstructured.Unstructured) bool {
	return slices.ContainsFunc(nodePorts(a), func(port int64) bool { return slices.Contains(nodePorts(b), port) })
}

// nodePorts returns the ports of the node that a Service names.
func nodePorts(m *unstructured.Unstructured) []int64 {
	var out []int64
	if m.GetKind() == "Service" && m.GroupVersionKind().Group == "" {
		for _, port := range manifest.Items(manifest.At(m.Object, "spec"), "ports") {
			if n, ok := port["nodePort"].(int64); ok {
				out = append(out, n)
			}
		}
	}
	return out
}

// portTaken says whether the server refuses a Service since another one has
// its port of the node.
func portTaken(err error) bool {
	return err != nil && strings.Contains(err.Error(), "provided port is already allocated")
}
