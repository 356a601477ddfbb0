package agent

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"zr/pkg/agentspec"
	"zr/pkg/agentspec/wire"
)

const (
	// holdTime is how long the kubelet waits for an answer while a version is
	// swapped for another: a second less than the timeout of its probe.
	holdTime = 9 * time.Second
	// toldTime is how long a version that is healthy waits for the kubelet to
	// hear of it, where that was told otherwise: two of its periods.
	toldTime = 2 * time.Second
)

// readiness answers the kubelet for the process. If the kubelet asked the process
// itself, it would meet the gap of a swap now and then, three times in a row in a
// series of saves. Then it would lead nobody to the pod for a second in which zr has
// called the save live.
type readiness struct {
	status *published
	server *http.Server

	mu      sync.Mutex
	swaps   bool          // a version that was healthy is swapped for another
	denied  bool          // the kubelet was told last that the process is not ready
	changed chan struct{} // closed at the next change of these
}

// answerKubelet listens where the pod says, and nowhere if it does not.
func answerKubelet(o options, status *published) (*readiness, error) {
	r := &readiness{status: status, changed: make(chan struct{})}
	if o.ready == 0 {
		status.set(func(s *wire.Status) { s.Told = 1 })
		return r, nil
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(o.host, strconv.Itoa(o.ready)))
	if err != nil {
		return nil, fmt.Errorf("listening for the kubelet: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+agentspec.ReadyPath, r)
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *readiness) close() {
	if r.server != nil {
		_ = r.server.Close()
	}
}

// ServeHTTP says whether the process is ready. During a swap it says it when
// that has come to an end.
func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	hold := time.NewTimer(holdTime)
	defer hold.Stop()
	for {
		r.mu.Lock()
		swaps, ended := r.swaps, r.changed
		r.mu.Unlock()
		status, changed := r.status.get()
		ready := status.Phase == wire.Healthy
		if ready || !swaps {
			r.tell(w, ready, strings.TrimSuffix(string(status.Phase)+": "+status.Reason, ": "))
			return
		}
		select {
		case <-ended:
		case <-changed:
		case <-req.Context().Done():
			return
		case <-hold.C:
			r.tell(w, false, "a new version is not healthy yet")
			return
		}
	}
}

func (r *readiness) tell(w http.ResponseWriter, ready bool, text string) {
	if !ready {
		http.Error(w, text, http.StatusServiceUnavailable)
	}
	r.set(func() {
		r.denied = !ready
		if s, _ := r.status.get(); ready != (s.Told%2 == 1) {
			r.status.set(func(s *wire.Status) { s.Told++ })
		}
	})
}

func (r *readiness) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	close(r.changed)
	r.changed = make(chan struct{})
}

// begin says that a version is about to be swapped for another.
func (r *readiness) begin() {
	if status, _ := r.status.get(); status.Phase == wire.Healthy {
		r.set(func() { r.swaps = true })
	}
}

func (r *readiness) end() { r.set(func() { r.swaps = false }) }

// await waits until the kubelet has heard that the process is healthy, where it
// was told otherwise before.
func (r *readiness) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, toldTime)
	defer cancel()
	for {
		r.mu.Lock()
		denied, changed := r.denied, r.changed
		r.mu.Unlock()
		if !denied || r.server == nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
