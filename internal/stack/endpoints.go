package stack

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// A healthy service can be reached through its port of this machine as soon as
// kube-proxy has heard of it, which takes a new cluster a moment.
const (
	endpointPatience = 30 * time.Second
	endpointPulse    = 50 * time.Millisecond
)

// endpoint is a published port of this machine that was asked.
type endpoint struct {
	published
	scheme string // what it speaks: "http", "https", or "" for anything else
	err    error  // nil where its Service answered
}

// url is where a user finds it.
func (e endpoint) url() string {
	address := fmt.Sprintf("localhost:%d", e.host)
	if e.scheme == "" {
		return address
	}
	return e.scheme + "://" + address
}

// openPorts makes every published port of this machine lead to its Service, and
// waits until each answers there, so that the URLs that are printed are true. One of
// a service that need not run is asked once.
// What was asked ahead, with what still leads there, is not asked again.
func (s *Stack) openPorts(ctx context.Context, on *connection, ahead portsStatus) error {
	if !s.can().HostPorts {
		return nil
	}
	relay, err := s.relayPorts(ctx, on)
	if err != nil {
		return err
	}
	reached, questions := make([]endpoint, len(s.published)), s.questions()
	group, gctx := errgroup.WithContext(ctx)
	for i, p := range s.published {
		if len(ahead.asked) > 0 && ahead.asked[i].err == nil && reflect.DeepEqual(ahead.relay, relay) {
			reached[i] = ahead.asked[i]
			continue
		}
		group.Go(func() (err error) {
			reached[i], err = waitEndpoint(gctx, p, questions[i], on.lines)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	s.reached = reached
	return nil
}

func waitEndpoint(ctx context.Context, p published, q question, lines cmdline.Run) (endpoint, error) {
	waiting, cancel := context.WithTimeout(ctx, endpointPatience)
	defer cancel()
	for {
		e := askEndpoint(waiting, p, q)
		if e.err == nil || p.idle && ctx.Err() == nil {
			return e, nil
		}
		if pause(waiting, endpointPulse); waiting.Err() != nil {
			if ctx.Err() != nil {
				return e, ctx.Err()
			}
			return e, fault.WithCode(fmt.Errorf("service %q is healthy, but %s does not answer: %w", p.name, p.address(), e.err), fault.NotHealthy,
				"`"+lines.Zr("status")+"` shows its pods; a NetworkPolicy, or a firewall of this machine, may be in the way")
		}
	}
}

func (p published) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p.host))) }

// askEndpoint asks once.
func askEndpoint(ctx context.Context, p published, q question) endpoint {
	e := endpoint{published: p}
	e.scheme, e.err = q(ctx, p.address())
	return e
}

// askEndpoints asks every published port once.
func (s *Stack) askEndpoints(ctx context.Context) []endpoint {
	asked, questions := make([]endpoint, len(s.published)), s.questions()
	var group errgroup.Group
	for i, p := range s.published {
		group.Go(func() error {
			asked[i] = askEndpoint(ctx, p, questions[i])
			return nil
		})
	}
	_ = group.Wait() // nothing in it fails
	return asked
}

// askAhead asks every published port once while the services are looked at, where
// nothing was applied. The returned function waits for what that found.
func (s *Stack) askAhead(ctx context.Context, on *connection, unchanged bool) func() portsStatus {
	found := make(chan portsStatus, 1)
	go func() {
		defer close(found)
		if !unchanged || !s.can().HostPorts {
			return
		}
		if relay, err := s.relayPorts(ctx, on); err == nil { // otherwise openPorts says so
			found <- portsStatus{asked: s.askEndpoints(ctx), relay: relay}
		}
	}()
	return func() portsStatus { return <-found }
}

// urls are those of the ports that answered, by name.
func urls(endpoints []endpoint) map[string]string {
	out := map[string]string{}
	for _, e := range endpoints {
		if e.err == nil {
			out[e.name] = e.url()
		}
	}
	return out
}

// tellURLs tells of URLs that are other ones than before.
func (s *Stack) tellURLs(before []endpoint) {
	known := urls(before)
	for _, e := range s.reached {
		if e.err == nil && known[e.name] != e.url() {
			s.sink.Emit(event.Notice{Text: fmt.Sprintf("%s is at %s", e.name, e.url())})
		}
	}
}
