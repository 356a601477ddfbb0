package podprobe

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zr/pkg/kube/object"
)

// aPod is a pod at an address, ready or not, whose container has these fields.
func aPod(t *testing.T, name, address string, ready bool, container string) Target {
	t.Helper()
	var p object.Pod
	text := fmt.Sprintf(`{"metadata":{"name":%q,"uid":%[1]q},"spec":{"containers":[{"name":"web"%s}]},"status":{"phase":"Running","podIP":%q,"hostIP":"10.9.9.9",
		"conditions":[{"type":"Ready","status":%q}]}}`, name, container, address, map[bool]string{true: "True", false: "False"}[ready])
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return Target{Pod: &p, Container: &p.Spec.Containers[0]}
}

// network leads to servers of this machine by the addresses of pods, and notes who was
// called.
type network struct {
	servers map[string]string
	called  atomic.Int64
}

func (n *network) dial(ctx context.Context, protocol, address string) (net.Conn, error) {
	n.called.Add(1)
	if n.servers[address] == "" {
		address = "127.0.0.1:1" // which refuses
	} else {
		address = n.servers[address]
	}
	return (&net.Dialer{}).DialContext(ctx, protocol, address)
}

// once asks a target, and returns what is known then.
func (a *Asker) once(t *testing.T, of Target) Answer {
	t.Helper()
	q, why := questionOf(of)
	if why != "" {
		t.Fatalf("%s is not asked: %s", of.Pod.Name, why)
	}
	if !a.begin(of.Pod) {
		t.Fatalf("%s is not asked yet", of.Pod.Name)
	}
	a.ask(t.Context(), of.Pod, q)
	return a.Of(of)
}

func probing(text string) string { return `,"readinessProbe":` + text }

// Pods are asked with what their probes say, and one that fails is failing once its probe
// calls it so.
func TestAPodIsAskedAtItsOwnProbe(t *testing.T) {
	var sick atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/grpc.health.v1.Health/Check":
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write([]byte{0, 0, 0, 0, 2, 8, 1})
			w.Header().Set("Grpc-Status", "0")
		case sick.Load():
			http.Error(w, "no database", http.StatusServiceUnavailable)
		case r.URL.Path != "/health" || r.Host != "shop.test" || r.Header.Get("X-Check") != "1" || r.Header.Get("Authorization") != "":
			http.Error(w, "not what the probe says", http.StatusBadRequest)
		}
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	n := &network{servers: map[string]string{"10.0.0.7:8080": server.Listener.Addr().String()}}
	a := New()
	a.dial = n.dial
	get := aPod(t, "get", "10.0.0.7", true, `,"ports":[{"name":"http","containerPort":8080}]`+
		probing(`{"httpGet":{"path":"/health","port":"http","httpHeaders":[{"name":"Host","value":"shop.test"},{"name":"X-Check","value":"1"}]},"timeoutSeconds":10,"failureThreshold":2}`))
	if before := a.Of(get); before.By != ByKubelet || before.Status != Ready || before.Why == "" || before.Asks != "GET :8080/health" {
		t.Errorf("before it was asked: %+v", before)
	}
	if got := a.once(t, get); got.By != ByAPI || got.Status != Ready || got.Text != "200 OK" || got.Latency <= 0 || got.At.IsZero() || got.Failing {
		t.Errorf("got %+v", got)
	}
	for _, probe := range []string{`{"tcpSocket":{"port":8080},"timeoutSeconds":10}`, `{"grpc":{"port":8080},"timeoutSeconds":10}`} {
		if got := a.once(t, aPod(t, probe, "10.0.0.7", true, probing(probe))); got.By != ByAPI || got.Status != Ready {
			t.Errorf("%s: %+v", probe, got)
		}
	}
	sick.Store(true)
	if got := a.once(t, get); got.Status != NotReady || got.Failing || !strings.Contains(got.Text, "503 Service Unavailable: no database") {
		t.Errorf("at first: %+v", got)
	}
	if got := a.once(t, get); !got.Failing {
		t.Errorf("the second time: %+v", got)
	}
	sick.Store(false)
	if got := a.once(t, get); got.Status != Ready || got.Failing {
		t.Errorf("when it is well again: %+v", got)
	}
	sick.Store(true)
	if got := a.once(t, get); got.Failing {
		t.Errorf("failures of before count: %+v", got)
	}
}

// Where no connection leads, the kubelet's word stands, and the pod is left alone for a while.
func TestWhereNoConnectionLeads(t *testing.T) {
	a := New()
	a.dial = (&network{}).dial
	for ready, want := range map[bool]string{true: Ready, false: NotReady} {
		refused := aPod(t, want, "10.0.0.8", ready, probing(`{"tcpSocket":{"port":8080},"failureThreshold":1}`))
		if got := a.once(t, refused); got.By != ByKubelet || got.Status != want || got.Failing || !strings.Contains(got.Why, "NetworkPolicy") || !strings.Contains(got.Why, "connection refused") {
			t.Errorf("got %+v", got)
		}
		if a.begin(refused.Pod) == ready { // one that comes up is asked again at once
			t.Errorf("ready %v: it is asked again: %v", ready, !ready)
		}
	}
}

// The api asks pods, and nobody else, whatever a manifest says.
func TestWhoIsNotAsked(t *testing.T) {
	get := probing(`{"httpGet":{"path":"/","port":80}}`)
	n := &network{}
	a := New()
	a.dial = n.dial
	for why, target := range map[string]Target{
		"no readiness probe":  aPod(t, "a", "10.0.0.7", true, ""),
		"command":             aPod(t, "b", "10.0.0.7", true, probing(`{"exec":{"command":["pg_isready"]}}`)),
		"another host":        aPod(t, "c", "10.0.0.7", true, probing(`{"httpGet":{"host":"169.254.169.254","path":"/","port":80}}`)),
		"address of its node": aPod(t, "d", "10.9.9.9", true, get),
		"no address":          aPod(t, "e", "", true, get),
		"can be asked":        aPod(t, "f", "127.0.0.1", true, get),
		"that can be asked":   aPod(t, "g", "169.254.169.254", true, get),
		"address that can":    aPod(t, "h", "::1", true, get),
		"names a port":        aPod(t, "i", "10.0.0.7", true, probing(`{"httpGet":{"path":"/","port":"gone"}}`)),
		"more time":           aPod(t, "j", "10.0.0.7", true, probing(`{"httpGet":{"path":"/","port":80},"timeoutSeconds":11}`)),
		"no container":        {Pod: aPod(t, "k", "10.0.0.7", true, get).Pod},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a.Round(ctx, []Target{target})
		if got := a.Of(target); got.By != ByKubelet || got.Status != Ready || !strings.Contains(got.Why, why) {
			t.Errorf("%s: %+v", why, got)
		}
	}
	host := aPod(t, "l", "10.0.0.7", true, get)
	host.Pod.Spec.HostNetwork = true
	if got := a.Of(host); !strings.Contains(got.Why, "address of its node") {
		t.Errorf("a pod on the network of its node: %+v", got)
	}
	a.Wait()
	if n := n.called.Load(); n > 0 {
		t.Errorf("%d connections were opened", n)
	}
}

// Three hundred pods, some of which never answer, are asked within bounds, and those that are
// gone forgotten.
func TestARoundIsBounded(t *testing.T) {
	var open, most atomic.Int64
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := open.Add(1)
		defer open.Add(-1)
		for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
		}
		if r.URL.Path == "/hangs" {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	}))
	defer server.Close()
	n := &network{servers: map[string]string{}}
	a := New()
	a.dial = n.dial
	var targets []Target
	for i := range 300 {
		address := fmt.Sprintf("10.0.%d.%d", i/200, i%200+1)
		n.servers[address+":80"] = server.Listener.Addr().String()
		path := "/"
		if i%10 == 0 {
			path = "/hangs"
		}
		targets = append(targets, aPod(t, address, address, true, probing(`{"httpGet":{"path":"`+path+`","port":80},"timeoutSeconds":10}`)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	a.Round(ctx, targets)
	close(release)
	a.Wait()
	for _, target := range targets {
		if got := a.Of(target); got.By != ByAPI {
			t.Errorf("%s: %+v", target.Pod.Name, got)
		}
	}
	if n := most.Load(); n > atOnce {
		t.Errorf("%d were asked at once", n)
	}
	done, end := context.WithCancel(t.Context())
	end()
	a.Round(done, targets[:1])
	a.Wait()
	if len(a.pods) != 1 {
		t.Errorf("%d pods are remembered", len(a.pods))
	}
}
