// Package portforward reaches the agent of a pod through the Kubernetes API. The way is
// the same for a cluster on this machine and for a remote one. It needs no listener on
// this machine, and the pod's network need not be open to it.
package portforward

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"zr/pkg/kube"
	"zr/pkg/kube/lean"
	"zr/pkg/livesync"
)

// Target names the container to reach.
type Target struct {
	Namespace string
	// Selector finds the workload's pods; the newest one that runs is taken,
	// anew for every connection.
	Selector string
	// Container must run; empty means every container.
	Container string
	// Port is that of the agent.
	Port int
}

// Dialer is a livesync.Dialer. It is safe for concurrent use.
type Dialer struct {
	target Target
	client *kube.Client
}

// New returns a dialer for a target. It does not connect.
func New(client *kube.Client, t Target) *Dialer { return &Dialer{t, client} }

// Dial finds the pod and opens a connection to the port on its loopback.
func (d *Dialer) Dial(ctx context.Context) (livesync.Stream, error) {
	pod, err := d.client.RunningPod(ctx, d.target.Namespace, d.target.Selector, d.target.Container)
	if lean.Refused(err) {
		return livesync.Stream{}, fmt.Errorf("%w: %w", livesync.ErrRefused, err)
	}
	if err != nil {
		return livesync.Stream{}, err
	}
	s, err := d.client.Open(ctx, d.target.Namespace, pod, int32(d.target.Port))
	if err != nil {
		return livesync.Stream{}, err
	}
	return livesync.Stream{ReadWriteCloser: stream{s}, Peer: pod}, nil
}

// stream is a connection to an agent.
type stream struct{ *kube.Stream }

// Read says what it means that nobody listens at the port of an agent.
func (s stream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	if errors.Is(err, syscall.ECONNREFUSED) {
		err = errNotYet
	}
	return n, err
}

var errNotYet = errors.New("the agent does not listen yet")
