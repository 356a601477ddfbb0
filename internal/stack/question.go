package stack

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"zr/pkg/cluster/relay"
	"zr/pkg/deploy/render"
	"zr/pkg/health"
	"zr/pkg/probe"
)

// question asks what listens at an address something that only the pods of a Service
// answer. That a port accepts a connection says nothing: a proxy on the way does so
// with nobody behind it. It returns the scheme of a URL of the address, "" where that
// is no HTTP.
type question func(ctx context.Context, address string) (scheme string, err error)

// answerTimeout is how long an answer may take where no probe is given longer.
const answerTimeout = 2 * time.Second

// questions returns what to ask each port of this machine, in the order of p.ports.
func (p *project) questions() []question {
	targets, workloads := p.targets(p.lines), p.rendered.Workloads()
	out := make([]question, len(p.ports))
	for i, port := range p.ports {
		out[i] = questionFor(port, targets, workloads)
	}
	return out
}

// questionFor returns what to ask a published port: what the probe of the workload
// behind it, or else the manifest's name of the port, says that it speaks.
func questionFor(p published, targets []health.Target, workloads []render.Workload) question {
	for _, w := range workloads {
		if !p.service.LeadsTo(w) {
			continue
		}
		number := p.port.Target(w)
		for _, t := range targets {
			if t.Port != number || t.Kind != w.Kind || (t.Service != w.Name && t.Name != w.Name) {
				continue
			}
			if ask := asks(probe.Of(t.Probe), scheme(t.TLS), t.Path, t.ProbeTimeout); ask != nil {
				return ask
			}
		}
		for _, c := range w.Containers {
			if c.Readiness.Port != number {
				continue
			}
			if ask := asks(probe.Of(c.Readiness.Kind), strings.ToLower(c.Readiness.Scheme), c.Readiness.Path, c.Readiness.Timeout); ask != nil {
				return ask
			}
		}
	}
	for _, hint := range []string{p.port.AppProtocol, p.port.Name} {
		// A port's name begins with what it speaks: "http", "grpc-api".
		name, _, _ := strings.Cut(strings.ToLower(hint), "-")
		if ask := asks(probe.Speaking(name), name, "/", 0); ask != nil {
			return ask
		}
	}
	return asksAnything
}

// asks returns what to ask a server of a kind, nil where the kind does not say. An
// answer may take as long as its probe may.
func asks(kind probe.Kind, scheme, path string, limit time.Duration) question {
	switch {
	case kind.Name == probe.HTTP:
		return asksHTTP(scheme, path, max(limit, answerTimeout))
	case kind.Opening != nil:
		return asksBytes(kind.Opening)
	}
	return nil
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// asksHTTP takes any answer: that it speaks HTTP is enough, and the health of the
// service is asked elsewhere.
func asksHTTP(scheme, path string, limit time.Duration) question {
	return func(ctx context.Context, address string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+address+"/"+strings.TrimPrefix(path, "/"), nil)
		if err != nil {
			return "", err
		}
		request.Header.Set("User-Agent", probe.UserAgent)
		request.Close = true                                                                 // a connection that was kept could end in a pod that is gone
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // issued for a name that is not this machine's
		defer transport.CloseIdleConnections()
		client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := client.Do(request)
		if err != nil {
			return "", err
		}
		return scheme, answer.Body.Close()
	}
}

// asksBytes sends a word and wants one byte.
func asksBytes(word []byte) question {
	return func(ctx context.Context, address string) (string, error) {
		c, err := connect(ctx, address, answerTimeout)
		if err != nil {
			return "", err
		}
		defer c.Close()
		if _, err := c.Write(word); err != nil {
			return "", err
		}
		_, err = io.ReadFull(c, make([]byte, 1))
		return "", closedEarly(err)
	}
}

// connect opens a connection that ends by itself after a time.
func connect(ctx context.Context, address string, limit time.Duration) (net.Conn, error) {
	d := net.Dialer{Deadline: time.Now().Add(limit)}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { c.Close() })
	return c, c.SetDeadline(d.Deadline)
}

// closedEarly gives words to the end of a connection on which nothing was said.
func closedEarly(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("it closed the connection without a word")
	}
	return err
}

// What is known of no server is listened to first, as some speak before they are
// spoken to. The times make up more than a relay takes to give up.
const (
	listenFor  = 250 * time.Millisecond
	answerWait = relay.DialTimeout
)

// asksAnything finds out what speaks at a port of which nothing is known. A server
// that says nothing at all is there if it keeps the connection for longer than any
// proxy on the way takes to find out that nobody is behind it.
func asksAnything(ctx context.Context, address string) (string, error) {
	c, err := connect(ctx, address, listenFor)
	if err != nil {
		return "", err
	}
	defer c.Close()
	first := make([]byte, len("HTTP/"))
	if _, err := c.Read(first); !timedOut(err) {
		return "", closedEarly(err)
	}
	if err := c.SetDeadline(time.Now().Add(answerWait)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", address); err != nil {
		return "", err
	}
	n, err := io.ReadFull(c, first)
	switch {
	case bytes.Equal(first, []byte("HTTP/")):
		return "http", nil
	case n > 0, timedOut(err):
		return "", nil
	}
	return "", staysOpen(ctx, address) // it may have been the question that it did not like
}

// staysOpen wants a connection on which nothing is said not to be closed.
func staysOpen(ctx context.Context, address string) error {
	c, err := connect(ctx, address, listenFor+answerWait)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Read(make([]byte, 1)); timedOut(err) {
		return ctx.Err()
	}
	return closedEarly(err)
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
