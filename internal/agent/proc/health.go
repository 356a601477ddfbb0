package proc

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Health is how to ask the process whether it is healthy.
type Health struct {
	// Headers are sent over HTTP. Host among them names another host than the
	// endpoint's.
	Headers http.Header

	url    *url.URL // nil: it is healthy when it has lived for settled
	client *http.Client
}

// The pace of Await.
const (
	// firstPoll is the pause between two questions at first. A refused
	// connection on loopback costs 50 µs.
	firstPoll = 2 * time.Millisecond
	// lastPoll is where the pause has grown to when a process takes seconds.
	lastPoll = 100 * time.Millisecond
	// pollShare keeps the pause below this part of the time that has passed,
	// so that polling adds at most 2 % to any start.
	pollShare = 50
	// answerTime is how long one answer may take. A dev server compiles its
	// page while it is asked for the first time.
	answerTime = 5 * time.Second
	// settled is how long a process without a health endpoint has to live.
	settled = 500 * time.Millisecond
	// bodyLimit is how much of an answer is looked at.
	bodyLimit = 64 << 10
)

// ParseHealth reads the value of spec.EnvHealth.
func ParseHealth(raw string) (*Health, error) {
	if raw == "" {
		return &Health{}, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the health endpoint: %w", err)
	}
	switch u.Scheme {
	case "http", "https", "tcp":
	default:
		return nil, fmt.Errorf("reading the health endpoint %q: want http, https or tcp", raw)
	}
	if u.Port() == "" {
		return nil, fmt.Errorf("reading the health endpoint %q: it names no port", raw)
	}
	return &Health{url: u, client: &http.Client{
		Timeout: answerTime,
		// Every question is a new connection: a kept one could end at a
		// process that is draining.
		Transport: &http.Transport{
			DisableKeepAlives: true,
			// The kubelet does not check the certificate of a probe either:
			// it is the process's own, asked on loopback.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}, nil
}

// Port returns the port that a healthy process listens on, 0 if it is not known.
func (h *Health) Port() int {
	if h.url == nil {
		return 0
	}
	port, _ := strconv.Atoi(h.url.Port())
	return port
}

// Await asks until the process answers as healthy (nil), has ended, or ctx is
// done. Where the answer names a build, it must be the given one.
func (h *Health) Await(ctx context.Context, p *Process, build string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // an answer that never comes must not outlive the process
		select {
		case <-p.exited:
			cancel(errExited)
		case <-ctx.Done():
		}
	}()
	last := errors.New("no answer yet")
	for {
		pause := min(max(time.Since(p.Started)/pollShare, firstPoll), lastPoll)
		var err error
		if h.url == nil {
			pause = settled
			err = errors.New("it has just been started")
			if time.Since(p.Started) >= settled {
				err = nil
			}
		} else {
			err = h.ask(ctx, build)
		}
		if err == nil && p.Running() {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if !p.Running() {
				return fmt.Errorf("%w: %s after %s", errExited, p.Cause(), time.Since(p.Started).Round(time.Millisecond))
			}
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-time.After(pause):
		}
	}
}

var errExited = errors.New("the process ended")

func (h *Health) ask(ctx context.Context, build string) error {
	if h.url.Scheme == "tcp" {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", h.url.Host)
		if err != nil {
			return err
		}
		return c.Close()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "zr-agent")
	maps.Copy(req.Header, h.Headers)
	req.Host = h.Headers.Get("Host") // of the endpoint where it is empty
	res, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return err
	}
	if res.StatusCode < 200 || res.StatusCode > 399 { // as the kubelet counts
		return fmt.Errorf("%s answered %s", h.url, res.Status)
	}
	var says struct {
		Build string `json:"build"`
	}
	if json.Unmarshal(body, &says) == nil && says.Build != "" && build != "" && says.Build != build {
		return fmt.Errorf("%s answered as build %s, not %s", h.url, says.Build, build)
	}
	return nil
}
