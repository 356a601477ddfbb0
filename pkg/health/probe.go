package health

import (
	"bytes"
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
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"zr/pkg/diagnose"
	"zr/pkg/probe"
)

// bodyLimit is how much of an answer is read. A health page is small; one
// that is not is no reason to hold it all.
const bodyLimit = 64 << 10

// shownLimit is how much of a failing answer a reason quotes, in runes: what
// fits into two lines of a terminal.
const shownLimit = 160

// ask probes a pod once.
func ask(ctx context.Context, t Target, via *tunnel, podIP string) diagnose.Answer {
	start := time.Now()
	a := func() diagnose.Answer {
		switch t.Probe {
		case ProbeHTTP:
			return askHTTP(ctx, t, via, podIP)
		case ProbeTCP:
			return askTCP(ctx, t, via)
		case ProbePostgres, ProbeRedis:
			secrets := map[string]string{}
			if t.Credentials != nil {
				var err error
				if secrets, err = t.Credentials(); err != nil {
					return diagnose.Answer{Text: fmt.Sprintf("reading the credentials: %v", err)}
				}
			}
			if t.Probe == ProbePostgres {
				return askPostgres(ctx, t, via, secrets)
			}
			return askRedis(ctx, t, via, secrets)
		default:
			return diagnose.Answer{Text: fmt.Sprintf("unknown probe %q", t.Probe)}
		}
	}()
	a.Took = time.Since(start)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		via.redial()
	}
	return a
}

func askHTTP(ctx context.Context, t Target, via *tunnel, podIP string) diagnose.Answer {
	path := t.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	// The kubelet names the pod's address too, and servers that check the
	// Host header expect its probes.
	host := podIP
	if host == "" {
		host = "localhost"
	}
	scheme := "http"
	if t.TLS {
		scheme = "https"
	}
	address := scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(t.Port))) + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return diagnose.Answer{Text: err.Error()}
	}
	req.Header.Set("User-Agent", probe.UserAgent)
	req.Header.Set("Accept", "application/json, */*;q=0.5")
	maps.Copy(req.Header, t.Headers)
	req.Host = t.Headers.Get("Host") // of the URL where it is empty
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address) // a redirect may lead to another one
			if err != nil {
				return nil, err
			}
			number, err := strconv.ParseUint(port, 10, 16)
			if err != nil {
				return nil, err
			}
			return via.open(ctx, int32(number))
		},
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // it is issued for a name, and a pod is asked by its address
		DisableKeepAlives: true,
		Proxy:             nil,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: withinPod}
	resp, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error // repeats the address, which is of no use outside of the cluster
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return diagnose.Answer{Text: failureText(ctx, t.Port, err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit))
	if err != nil {
		return diagnose.Answer{Text: resp.Status + ": " + failureText(ctx, t.Port, err)}
	}
	a := diagnose.Answer{OK: resp.StatusCode >= 200 && resp.StatusCode < 400, Text: resp.Status}
	var said struct {
		Build string `json:"build"`
	}
	if json.Unmarshal(body, &said) == nil {
		a.Build = said.Build
	}
	if first := firstBytes(body); !a.OK && first != "" {
		a.Text += ": " + first
	}
	return a
}

// redirects is how many the kubelet follows before it gives up.
const redirects = 10

// withinPod follows redirects as the kubelet does: one to another host is an
// answer, and a healthy one.
func withinPod(req *http.Request, via []*http.Request) error {
	if req.URL.Hostname() != via[0].URL.Hostname() {
		return http.ErrUseLastResponse
	}
	if len(via) >= redirects {
		return fmt.Errorf("it redirects more than %d times", redirects)
	}
	return nil
}

// askTCP connects. The forwarding tells of a refusal only: that the port
// accepts is known when none came in time, or when the server speaks first.
func askTCP(ctx context.Context, t Target, via *tunnel) diagnose.Answer {
	// Dialled before, as the opening is timed.
	if _, err := via.connection(ctx); err != nil {
		return diagnose.Answer{Text: failureText(ctx, t.Port, err)}
	}
	began := time.Now()
	conn, err := via.open(ctx, t.Port)
	roundTrip := time.Since(began)
	if err != nil {
		return diagnose.Answer{Text: failureText(ctx, t.Port, err)}
	}
	defer conn.Close()
	// Opening takes two round trips to the kubelet, a refusal one and what the
	// node needs to connect to itself.
	deadline := time.Now().Add(20*time.Millisecond + 3*roundTrip)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := conn.SetReadDeadline(deadline); err != nil {
		return diagnose.Answer{Text: err.Error()}
	}
	_, err = conn.Read(make([]byte, 1))
	var timeout net.Error
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &timeout) && timeout.Timeout() {
		return diagnose.Answer{OK: true, Text: "accepts connections"}
	}
	return diagnose.Answer{Text: failureText(ctx, t.Port, err)}
}

// failureText says why there was no answer.
func failureText(ctx context.Context, port int32, err error) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("port %d: no answer in time", port)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Sprintf("port %d: closed the connection without an answer", port)
	}
	// Drivers wrap it into words of their own.
	var refused forwardFailure
	if errors.As(err, &refused) {
		err = refused
	}
	return fmt.Sprintf("port %d: %s", port, err)
}

// firstBytes makes one printable line of the beginning of a body.
func firstBytes(body []byte) string {
	line := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsControl(r) && !unicode.IsSpace(r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, string(bytes.TrimSpace(body)))
	line = strings.Join(strings.Fields(line), " ")
	if r := []rune(line); len(r) > shownLimit {
		return string(r[:shownLimit]) + "…"
	}
	return line
}
