package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/fault"
	"zr/pkg/health"
)

// A healthy service can be reached through its port of this machine as soon as
// kube-proxy has heard of it, which takes a new cluster a moment.
const (
	endpointPatience = 30 * time.Second
	endpointPulse    = 50 * time.Millisecond
)

// waitEndpoints waits until every service that has a port on this machine
// answers there, so that what `zr up` prints at its end is true.
func (s *stack) waitEndpoints(ctx context.Context) error {
	if !s.local() {
		return nil
	}
	ports, err := s.ports()
	if err != nil {
		return err
	}
	probes := map[string]health.Target{}
	for _, t := range s.targets() {
		probes[t.Service] = t
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range ports {
		group.Go(func() error {
			address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p.Host)))
			return waitEndpoint(ctx, p.Service, address, probes[p.Service])
		})
	}
	return group.Wait()
}

func waitEndpoint(ctx context.Context, service, address string, t health.Target) error {
	waiting, cancel := context.WithTimeout(ctx, endpointPatience)
	defer cancel()
	for {
		err := knock(waiting, address, t)
		if err == nil {
			return nil
		}
		if pause(waiting, endpointPulse); waiting.Err() != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fault.WithCode(fmt.Errorf("service %q is healthy, but %s does not answer: %w", service, address, err),
				fault.NotHealthy, "`zr status` shows its pods; a firewall of this machine may be in the way")
		}
	}
}

// knock asks once. Where the service speaks HTTP, any answer of its own will
// do: a proxy in between may accept a connection without anybody behind it.
func knock(ctx context.Context, address string, t health.Target) error {
	asking, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if t.Probe != health.ProbeHTTP || t.TLS {
		c, err := (&net.Dialer{}).DialContext(asking, "tcp", address)
		if err == nil {
			c.Close()
		}
		return err
	}
	request, err := http.NewRequestWithContext(asking, http.MethodGet, "http://"+address+"/"+strings.TrimPrefix(t.Path, "/"), nil)
	if err != nil {
		return err
	}
	request.Close = true // a connection that was kept could end in a pod that is gone
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err == nil {
		answer.Body.Close()
	}
	return err
}
