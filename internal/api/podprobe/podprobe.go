// Package podprobe asks the pods of services at their own readiness probes, as the kubelet
// does, with package probe. What the api cannot ask, the kubelet's word is taken for: a
// command within the container, and a pod to which no connection leads, as where a
// NetworkPolicy lets only others in.
//
// It asks nobody but pods: the address is the one that the kubelet gave a pod that is
// watched, never a host that a manifest names, and no address of a node.
package podprobe

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"zr/internal/api/reason"
	"zr/pkg/kube/object"
	"zr/pkg/probe"
)

// Every is how often each pod is asked.
const Every = 5 * time.Second

const (
	// spread is the part of Every over which the questions of a round are begun.
	spread = 4 * time.Second
	// longest is how long a probe may allow for an answer, if the api is to ask it.
	longest = 10 * time.Second
	// atOnce bounds the questions to pods of one namespace: those that hang delay no
	// other namespace.
	atOnce = 32
	// again is when a pod is asked again that is ready, says the kubelet, and to which
	// no connection leads.
	again = time.Minute
)

// Who is taken at his word.
const (
	ByAPI     = "api"
	ByKubelet = "kubelet"
)

// The statuses of an Answer.
const (
	Ready    = "ready"
	NotReady = "not ready"
)

// Answer is what is known of the readiness of a pod.
type Answer struct {
	Asks string // "GET :8080/health"; empty without a probe
	By   string // ByAPI or ByKubelet
	Why  string // the api does not ask
	// Status is that of the last answer, or what the kubelet says.
	Status string
	// Failing says that as many answers in a row were no good as the probe allows.
	Failing bool
	Text    string // such as "200 OK"; of an answer of the api
	Latency time.Duration
	At      time.Time // of the answer; zero where the kubelet's word is taken
}

// Asker asks the pods of one namespace. It is safe for concurrent use.
type Asker struct {
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	limit  chan struct{}
	asking sync.WaitGroup

	mu   sync.Mutex
	pods map[string]*asked // by UID
}

// asked is what is remembered of a pod.
type asked struct {
	answer   Answer    // By is empty until there is one
	failures int       // in a row
	allowed  int       // so many failures count
	next     time.Time // not before
	busy     bool      // it is being asked
}

// New returns an Asker.
func New() *Asker {
	return &Asker{dial: (&net.Dialer{}).DialContext, limit: make(chan struct{}, atOnce), pods: map[string]*asked{}}
}

// Of returns what is known of the readiness of a target.
func (a *Asker) Of(t Target) Answer {
	q, why := questionOf(t)
	answer := Answer{Asks: q.String(), By: ByKubelet, Why: why}
	if why == "" {
		answer.Why = "it was not asked yet"
		a.mu.Lock()
		if known := a.pods[t.Pod.UID]; known != nil && known.answer.By != "" {
			answer = known.answer
		}
		a.mu.Unlock()
	}
	if answer.By == ByKubelet {
		answer.Status = NotReady
		if t.Pod.Ready() {
			answer.Status = Ready
		}
	}
	return answer
}

// Wait waits for the questions that are asked, which end with the context of their Round.
func (a *Asker) Wait() { a.asking.Wait() }

// Target is a pod, and the container of it that is asked.
type Target struct {
	Pod       *object.Pod
	Container *object.Container
}

// Round begins to ask each target once, over most of Every, and forgets the others. One
// that is still being asked is left out.
func (a *Asker) Round(ctx context.Context, targets []Target) {
	a.forget(targets)
	pause := time.NewTicker(spread / time.Duration(max(len(targets), 1)))
	defer pause.Stop()
	for _, t := range targets {
		question, why := questionOf(t)
		if why != "" || !a.begin(t.Pod) {
			continue
		}
		select {
		case a.limit <- struct{}{}:
		case <-ctx.Done():
			return
		}
		a.asking.Go(func() {
			defer func() { <-a.limit }()
			a.ask(ctx, t.Pod, question)
		})
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// forget drops what is known of pods that are gone.
func (a *Asker) forget(targets []Target) {
	there := map[string]bool{}
	for _, t := range targets {
		there[t.Pod.UID] = true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for uid := range a.pods {
		if !there[uid] {
			delete(a.pods, uid)
		}
	}
}

// begin says whether a pod is to be asked now.
func (a *Asker) begin(p *object.Pod) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.pods[p.UID]
	if known == nil {
		known = &asked{}
		a.pods[p.UID] = known
	}
	if known.busy || time.Now().Before(known.next) {
		return false
	}
	known.busy = true
	return true
}

// take keeps what came of a question. A failure counts those before it.
func (a *Asker) take(p *object.Pod, now asked) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if before := a.pods[p.UID]; before != nil && now.failures > 0 {
		now.failures += before.failures
		now.answer.Failing = now.failures >= now.allowed
	}
	a.pods[p.UID] = &now
}

// questionOf returns what the readiness probe of a target asks, and why the api cannot ask
// it, if it cannot.
func questionOf(t Target) (q probe.Probe, why string) {
	if t.Container == nil {
		return q, "it has no container"
	}
	q = t.Container.Question(t.Container.ReadinessProbe)
	switch {
	case q.Kind == "":
		return q, "it has no readiness probe"
	case q.Kind == probe.Exec:
		return q, "a command is run within the container, by the kubelet alone"
	case q.Host != "":
		return q, "the probe asks another host than the pod, which the api does not"
	case !outside(t.Pod.Status.PodIP):
		return q, "the pod has no address that can be asked"
	case t.Pod.Spec.HostNetwork || t.Pod.Status.PodIP == t.Pod.Status.HostIP:
		return q, "the pod has the address of its node, which the api does not ask"
	case q.Timeout > longest:
		return q, "the probe allows more time for an answer than the api has"
	case q.Port < 1:
		return q, "the probe names a port that the container has not"
	}
	return q, ""
}

// outside says whether an address can be that of another pod.
func outside(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && a.IsValid() && !a.IsLoopback() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalUnicast()
}

// ask asks a pod once.
func (a *Asker) ask(ctx context.Context, p *object.Pod, q probe.Probe) {
	var connected atomic.Bool
	asker, err := probe.New(q, probe.Options{Host: p.Status.PodIP, Dial: func(ctx context.Context, port int32) (net.Conn, error) {
		c, err := a.dial(ctx, "tcp", net.JoinHostPort(p.Status.PodIP, strconv.Itoa(int(port))))
		if err == nil {
			connected.Store(true)
		}
		return c, err
	}})
	if err != nil {
		a.take(p, asked{answer: Answer{Asks: q.String(), By: ByKubelet, Why: err.Error()}})
		return
	}
	began := time.Now()
	said, err := asker.Ask(ctx)
	now := asked{answer: Answer{Asks: q.String(), By: ByAPI, Status: Ready, Text: said.Text, Latency: time.Since(began), At: began.UTC()}}
	switch {
	case err == nil:
	case ctx.Err() != nil: // the api ends
		return
	case !connected.Load():
		// Where the port is closed the kubelet finds that too, and says so.
		now.answer = Answer{Asks: q.String(), By: ByKubelet, Why: "no connection leads from the api to the pod (" + reason.Of(err) + "): a NetworkPolicy may refuse it"}
		if p.Ready() {
			now.next = began.Add(again)
		}
	default:
		now.answer.Status, now.answer.Text, now.failures, now.allowed = NotReady, err.Error(), 1, q.Failures
	}
	a.take(p, now)
}
