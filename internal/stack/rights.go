package stack

import (
	"zr/pkg/deploy"
)

// rights are what a run takes on a cluster of others beside what it applies, which dry
// runs ask about. The pod of `deltaPush` is not among them: where it may not be made, a
// layer travels as a whole.
func (p *project) rights() []deploy.Right {
	var rights []deploy.Right
	need := func(why, group, resource string, verbs ...string) {
		for _, verb := range verbs {
			rights = append(rights, deploy.Right{Verb: verb, Group: group, Resource: resource, For: why})
		}
	}
	need("keep another run from changing it at the same time", "coordination.k8s.io", "leases", "create", "get", "update", "delete")
	need("note what belongs to it", "", "secrets", "create", "patch")
	const healthy = "see whether it becomes healthy"
	need(healthy, "", "pods", "list", "watch")
	for _, workloads := range []string{"deployments", "replicasets", "statefulsets"} {
		need(healthy, "apps", workloads, "list", "watch")
	}
	switch {
	case p.dev != nil:
		need("make saves live", "", "pods/portforward", "create")
		need("show what it logs", "", "pods/log", "get")
	case p.asks():
		need("ask it whether it is ready", "", "pods/portforward", "create")
	}
	if p.cfg.Namespace != "" {
		rights = append(rights, deploy.Right{Verb: "patch", Resource: "namespaces", Name: p.cfg.Namespace, For: "note until when it is wanted"})
	}
	return rights
}

// asks says whether zr itself asks a service how it is, through a port-forward.
func (p *project) asks() bool {
	for _, t := range p.targets(p.lines) {
		if t.Probed() {
			return true
		}
	}
	return false
}
