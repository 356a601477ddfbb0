// Package health says of every service whether it is healthy, and if not,
// exactly what is not and why.
//
// A service is healthy when all of these hold. The rollout of its current template is
// complete (not that of an earlier ReplicaSet), with at least the pods that the
// manifest asks for. None of their containers restarts in a loop. Each of its Services
// leads to them and finds them listening, on each node that can be asked. One of them
// answers the probe. A Job is healthy when it has completed. One that is not meant to
// run is stopped, and never called healthy. Rollouts are followed by watches; probes
// travel through a port-forward that is kept open, so that they reach a pod on any
// cluster and are not subject to its NetworkPolicies.
package health

import (
	"context"
	"net/http"
	"sync"
	"time"

	"zr/pkg/diagnose"
	"zr/pkg/event"
	kubeclient "zr/pkg/kube"
	"zr/pkg/kube/object"
	"zr/pkg/probe"
)

// DefaultTimeout is how long Wait gives a Target without a Timeout. It covers
// a slow first start: an image that is unpacked, a database that is made, and
// the three crashes (70 s of back-off) after which a crash loop is certain.
const DefaultTimeout = 3 * time.Minute

// Target is one service to be gated: a workload and how to ask it. Its Probe is
// the name of a kind that a config may name; empty means probe.Rollout.
type Target struct {
	diagnose.Target
	Port int32
	Path string // of probe.HTTP; empty means "/"
	TLS  bool   // of probe.HTTP: no certificate is verified, as by the kubelet
	// Headers are sent with probe.HTTP; Host among them names another host than
	// the pod's address.
	Headers http.Header
	// ProbeTimeout is how long the manifest lets an answer of its probe take; where it
	// is less than two seconds, these count.
	ProbeTimeout time.Duration
	// DependsOn are services that must be healthy first. Names that are not
	// among the targets of the same call are taken for healthy.
	DependsOn []string
	// Timeout runs from the moment when the dependencies are healthy.
	// Default: DefaultTimeout.
	Timeout time.Duration
	// Credentials returns secrets, among them those that the kind of the probe
	// names. Nil means none. The values are never printed.
	Credentials func() (map[string]string, error)
	// Advice says what to do about a service that is not healthy, from the
	// reason and the last lines of its log; "" where it knows no better than
	// Wait. May be nil.
	Advice func(words string) string
}

// subject is what is said of the target's workload.
func (t Target) subject() diagnose.Target {
	d := t.Target
	if !t.Probed() {
		d.Probe = ""
	}
	return d
}

// Probed tells that zr itself asks a pod, and not only its rollout.
func (t Target) Probed() bool { return t.Probe != probe.Rollout && t.Probe != "" }

func (t Target) timeout() time.Duration {
	if t.Timeout > 0 {
		return t.Timeout
	}
	return DefaultTimeout
}

// Status is what one look at a service found.
type Status struct {
	Service string      `json:"service"`
	State   event.State `json:"state"`
	// Reason says in one line why the service is not healthy. Proof are the
	// lines that show it: the last log lines of a crash, for example.
	Reason string   `json:"reason,omitempty"`
	Proof  []string `json:"proof,omitempty"`
	// Hint is what the user can do about it, where that is known.
	Hint string `json:"hint,omitempty"`

	Ready    int32  `json:"ready"`
	Desired  int32  `json:"desired"`
	Restarts int32  `json:"restarts"` // of all containers of the current pods
	Image    string `json:"image,omitempty"`
	// Build is the hash of the code that answered, where the answer told it.
	Build string `json:"build,omitempty"`
	// Since is when the service became ready, or stopped being so.
	Since time.Time `json:"since,omitzero"`
	Pods  []Pod     `json:"pods,omitempty"`
	// Answer is the last answer of the probe, and Latency how long it took.
	Answer  string        `json:"answer,omitempty"`
	Latency time.Duration `json:"latency,omitempty"`
}

// Pod is one pod of a service, of the current template or of an earlier one.
type Pod struct {
	Name     string    `json:"name"`
	Node     string    `json:"node,omitempty"`
	Phase    string    `json:"phase"`
	Ready    bool      `json:"ready"`
	Current  bool      `json:"current"`
	Restarts int32     `json:"restarts"`
	Created  time.Time `json:"created"`
}

// Gate asks one cluster about its services. It is safe for concurrent use and
// keeps a port-forward per probed pod open until Close.
type Gate struct {
	kube  *kube
	nodes *viewer // nil where they cannot be asked

	mu       sync.Mutex
	closed   bool
	forwards map[string]*kubeclient.Forward // by pod UID
}

// New returns a Gate for the cluster of a client. Wait asks its nodes for the way to
// the pods; nil stands for nodes that cannot be asked.
func New(client *kubeclient.Client, nodes Nodes) *Gate {
	g := &Gate{kube: &kube{client}, forwards: map[string]*kubeclient.Forward{}}
	if nodes != nil {
		g.nodes = &viewer{nodes: nodes}
	}
	return g
}

// Close closes the port-forwards. Probes in flight fail.
func (g *Gate) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, f := range g.forwards {
		f.Close()
	}
	clear(g.forwards)
}

// forward returns the port-forward to a pod, which is dialled when first used.
func (g *Gate) forward(ns, pod, uid string) *kubeclient.Forward {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, ok := g.forwards[uid]
	if !ok {
		f = g.kube.Forward(ns, pod)
		if g.closed {
			f.Close()
			return f
		}
		g.forwards[uid] = f
	}
	return f
}

// prune closes the port-forwards of pods that are gone.
func (g *Gate) prune(alive func(uid string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for uid, f := range g.forwards {
		if !alive(uid) {
			f.Close()
			delete(g.forwards, uid)
		}
	}
}

// probe asks the pod of a target once, within the deadline of ctx.
func (g *Gate) probe(ctx context.Context, t Target, pod *object.Pod) diagnose.Answer {
	if !t.Probed() {
		return diagnose.Answer{OK: true, Text: "the rollout is complete"}
	}
	return ask(ctx, t, g.forward(t.Namespace, pod.Name, pod.UID), pod.Status.PodIP)
}
