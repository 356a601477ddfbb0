package render

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"zr/pkg/deploy/manifest"
)

// ExtraPort is a port of a Service that is to have a port of the nodes beside
// what its manifest says.
type ExtraPort struct {
	Service  string
	Port     int32 // the Service's own
	NodePort int32 // 0: the cluster chooses one, and keeps it
}

// AddNodePorts adds Services of type NodePort to what is rendered: one for each
// Service that ports name, with its selector and those ports. The manifest's own
// stays as it is, so that one which is a ClusterIP, headless, or has a NodePort
// already, can get one (more). It replaces what an earlier call added. Ports of
// Services that are not rendered are left out.
func (r *Rendered) AddNodePorts(ports []ExtraPort) {
	var objects, added []*Object
	for _, o := range r.Objects {
		if isService(o) && o.GetLabels()[NodePortOfLabel] != "" {
			continue
		}
		if objects = append(objects, o); !isService(o) {
			continue
		}
		var wanted []ExtraPort
		for _, p := range ports {
			if p.Service == o.GetName() {
				wanted = append(wanted, p)
			}
		}
		if m := nodePortService(o.Unstructured, wanted); m != nil {
			mark(m, r.ID)
			added = append(added, &Object{Unstructured: m, Kind: o.Kind})
		}
	}
	objects = append(objects, added...)
	slices.SortStableFunc(objects, func(a, b *Object) int { return int(a.Kind.Stage) - int(b.Kind.Stage) })
	r.Objects = objects
}

// nodePortService is the Service to add beside one, or nil where none of its
// ports is wanted.
func nodePortService(of *unstructured.Unstructured, wanted []ExtraPort) *unstructured.Unstructured {
	var ports []any
	for _, p := range manifest.Items(manifest.At(of.Object, "spec"), "ports") {
		i := slices.IndexFunc(wanted, func(w ExtraPort) bool {
			return p["port"] == int64(w.Port) && (p["protocol"] == nil || p["protocol"] == "TCP")
		})
		if i < 0 {
			continue
		}
		port := map[string]any{"port": p["port"], "protocol": "TCP"}
		for _, key := range []string{"name", "targetPort", "appProtocol"} {
			if p[key] != nil {
				port[key] = p[key]
			}
		}
		if n := wanted[i].NodePort; n != 0 {
			port["nodePort"] = int64(n)
		}
		ports = append(ports, port)
	}
	if len(ports) == 0 {
		return nil
	}
	spec := map[string]any{"type": "NodePort", "ports": ports}
	for _, key := range []string{"selector", "publishNotReadyAddresses", "sessionAffinity", "sessionAffinityConfig"} {
		if v, ok := manifest.At(of.Object, "spec")[key]; ok {
			spec[key] = v
		}
	}
	m := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service", "spec": spec}}
	m = m.DeepCopy() // what it shares with the manifest's may be changed there
	m.SetName(nodePortName(of.GetName()))
	m.SetNamespace(of.GetNamespace())
	m.SetLabels(map[string]string{NodePortOfLabel: of.GetName()})
	return m
}

// nodePortName is the name of the Service that is added for another. One that
// would be too long is told from others of the same beginning by a hash.
func nodePortName(service string) string {
	const suffix = "-zr-node-port"
	if len(service)+len(suffix) <= validation.DNS1035LabelMaxLength {
		return service + suffix
	}
	sum := sha256.Sum256([]byte(service))
	tail := "-" + hex.EncodeToString(sum[:4]) + suffix
	return strings.TrimRight(service[:validation.DNS1035LabelMaxLength-len(tail)], "-") + tail
}
