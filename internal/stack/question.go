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
	"zr/pkg/deploy"
	"zr/pkg/health"
	"zr/pkg/probe"
)

// question asks what listens at an address something that only the pods of a
// Service answer: that a port accepts a connection says nothing, since a proxy on
// the way does so with nobody behind it. It returns the scheme of a URL of the
// address, "" where that is no HTTP.
type question func(ctx context.Context, address string) (scheme string, err error)

// answerTimeout is how long an answer may take.
const answerTimeout = 2 * time.Second

// questions returns what to ask each published port.
func (s *Stack) questions() []question {
	targets, workloads := s.targets(s.lines), s.rendered.Workloads()
	out := make([]question, len(s.published))
	for i, p := range s.published {
		out[i] = questionFor(p, targets, workloads)
	}
	return out
}

// questionFor returns what to ask a published port: what the probe of the workload
// behind it, or else the manifest's name of the port, says that it speaks.
func questionFor(p published, targets []health.Target, workloads []deploy.Workload) question {
	for _, w := range workloads {
		if !p.service.LeadsTo(w) {
			continue
		}
		number := p.port.Target(w)
		for _, t := range targets {
			if t.Port != number || t.Kind != w.Kind || (t.Service != w.Name && t.Name != w.Name) {
				continue
			}
			switch t.Probe {
			case health.ProbeHTTP:
				return asksHTTP(scheme(t.TLS), t.Path)
			case health.ProbePostgres:
				return asksPostgres
			case health.ProbeRedis:
				return asksRedis
			}
		}
		for _, c := range w.Containers {
			if c.Readiness.Kind == "grpc" && c.Readiness.Port == number {
				return asksHTTP2
			}
		}
	}
	for _, hint := range []string{p.port.AppProtocol, p.port.Name} {
		// A port's name begins with what it speaks: "http", "grpc-api".
		switch name, _, _ := strings.Cut(strings.ToLower(hint), "-"); name {
		case "http", "https":
			return asksHTTP(name, "/")
		case "grpc", "h2c", "kubernetes.io/h2c":
			return asksHTTP2
		case "postgres", "postgresql":
			return asksPostgres
		case "redis":
			return asksRedis
		}
	}
	return asksAnything
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// asksHTTP takes any answer: that it speaks HTTP is enough, and the health of the
// service is asked elsewhere.
func asksHTTP(scheme, path string) question {
	return func(ctx context.Context, address string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
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

// The first words of protocols, each of which their servers answer.
var (
	// The question whether it encrypts: length 8, code 80877103. It asks for no
	// user, and leaves no line in the log.
	asksPostgres = asksBytes([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f})
	asksRedis    = asksBytes([]byte("PING\r\n")) // also where it asks for a password first
	// The preface of a client, with an empty frame of settings (RFC 9113, 3.4).
	asksHTTP2 = asksBytes([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
)

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
