package stack

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/cluster/relay"
	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// A healthy service can be reached through its port of this machine as soon as
// kube-proxy has heard of it, which takes a new cluster a moment.
const (
	endpointTimeout  = 30 * time.Second
	endpointInterval = 50 * time.Millisecond
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

// portsStatus is what became of the ports of this machine.
type portsStatus struct {
	asked   []endpoint   // in the order of project.ports; nil where none was asked
	relayed []relay.Port // that a process has to relay
	relay   *relay.State // the process that does; nil where there is none
}

// relayPorts has those ports relayed that kind did not map. What it returns says with
// an error, too, what is to be relayed.
func (p *project) relayPorts(ctx context.Context, on *connection, plan portPlan) (found portsStatus, err error) {
	if found.relayed, err = plan.relayedPorts(ctx, on); err == nil {
		found.relay, err = p.relay(ctx, on, found.relayed)
	}
	return found, err
}

// openPorts makes every published port of this machine lead to its Service, and
// waits until each answers there, so that the URLs that are printed are true. One of
// a service that need not run is asked once.
// What was asked ahead, with what still leads there, is not asked again.
func (p *project) openPorts(ctx context.Context, on *connection, plan portPlan, ahead portsStatus) (portsStatus, error) {
	if !p.can().HostPorts {
		return portsStatus{}, nil
	}
	found, err := p.relayPorts(ctx, on, plan)
	if err != nil {
		return found, err
	}
	reached, questions := make([]endpoint, len(p.ports)), p.questions()
	group, gctx := errgroup.WithContext(ctx)
	for i, port := range p.ports {
		if len(ahead.asked) > 0 && ahead.asked[i].err == nil && reflect.DeepEqual(ahead.relay, found.relay) {
			reached[i] = ahead.asked[i]
			continue
		}
		group.Go(func() (err error) {
			reached[i], err = waitEndpoint(gctx, port, questions[i], on.lines)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return found, err
	}
	found.asked = reached
	return found, nil
}

func waitEndpoint(ctx context.Context, p published, q question, lines cmdline.Run) (endpoint, error) {
	waiting, cancel := context.WithTimeout(ctx, endpointTimeout)
	defer cancel()
	for {
		e := askEndpoint(waiting, p, q)
		if e.err == nil || p.idle && ctx.Err() == nil {
			return e, nil
		}
		if pause(waiting, endpointInterval); waiting.Err() != nil {
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

// askPorts starts the relay where it is wanted and does not run, and asks every
// published port once.
func (p *project) askPorts(ctx context.Context, on *connection, plan portPlan) (portsStatus, error) {
	found, err := p.relayPorts(ctx, on, plan)
	if err != nil {
		return found, err
	}
	asked, questions := make([]endpoint, len(p.ports)), p.questions()
	var group errgroup.Group
	for i, port := range p.ports {
		group.Go(func() error {
			asked[i] = askEndpoint(ctx, port, questions[i])
			return nil
		})
	}
	_ = group.Wait() // nothing in it fails
	found.asked = asked
	return found, ctx.Err()
}

// askAhead asks every published port once while the services are looked at, where
// nothing was applied. The returned function waits for what that found.
func (p *project) askAhead(ctx context.Context, runs deployed) func() portsStatus {
	found := make(chan portsStatus, 1)
	go func() {
		defer close(found)
		if !runs.unchanged || !p.can().HostPorts {
			return
		}
		if asked, err := p.askPorts(ctx, runs.on, runs.plan); err == nil { // otherwise openPorts says so
			found <- asked
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

// tellURLs tells of the URLs that are others than before.
func tellURLs(sink event.Sink, before, now []endpoint) {
	known := urls(before)
	for _, e := range now {
		if e.err == nil && known[e.name] != e.url() {
			sink.Emit(event.Notice{Text: fmt.Sprintf("%s is at %s", e.name, e.url())})
		}
	}
}
