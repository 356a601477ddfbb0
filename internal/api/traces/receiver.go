package traces

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// defaultTimeout is that of the specification.
	defaultTimeout = 10 * time.Second
	// attempts is how often spans are sent to a receiver that is busy or away, with a pause
	// that begins with firstPause and doubles.
	attempts   = 4
	firstPause = time.Second
)

// receiver is a receiver of OTLP over HTTP.
type receiver struct {
	endpoint string
	header   http.Header
	gzip     bool
	client   *http.Client
	log      *slog.Logger
	failing  atomic.Bool
}

// receiverOf reads the variables of the specification, and returns nil where they name no
// receiver or say that there is to be none.
func receiverOf(getenv func(string) string) (*receiver, error) {
	of := func(name string) string { // what is said of traces goes before what is said of all
		if value := getenv("OTEL_EXPORTER_OTLP_TRACES_" + name); value != "" {
			return value
		}
		return getenv("OTEL_EXPORTER_OTLP_" + name)
	}
	endpoint := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	if base := getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint == "" && base != "" {
		endpoint = strings.TrimSuffix(base, "/") + "/v1/traces"
	}
	if endpoint == "" || strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none" {
		return nil, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("OTEL_EXPORTER_OTLP_ENDPOINT: not a URL such as http://collector:4318")
	}
	if protocol := of("PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL: %q is not http/protobuf, which alone is spoken", protocol)
	}
	r := &receiver{endpoint: endpoint, header: http.Header{"Content-Type": {"application/x-protobuf"}}, client: &http.Client{Timeout: defaultTimeout}}
	switch compression := of("COMPRESSION"); compression {
	case "", "none":
	case "gzip":
		r.gzip = true
	default:
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_COMPRESSION: %q is neither gzip nor none", compression)
	}
	if text := of("TIMEOUT"); text != "" {
		milliseconds, err := strconv.Atoi(text)
		if err != nil || milliseconds <= 0 {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT: %q is not a number of milliseconds", text)
		}
		r.client.Timeout = time.Duration(milliseconds) * time.Millisecond
	}
	for pair := range strings.SplitSeq(of("HEADERS"), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || err != nil {
			return nil, errors.New("OTEL_EXPORTER_OTLP_HEADERS: not pairs such as name=value, with commas in between")
		}
		r.header.Set(strings.TrimSpace(name), decoded)
	}
	return r, nil
}

// ExportSpans implements sdk.SpanExporter.
func (r *receiver) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	body := encode(spans)
	if r.gzip {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(body); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		body = packed.Bytes()
	}
	var err error
	for n, pause := 0, firstPause; n < attempts; n, pause = n+1, 2*pause {
		var again bool
		if again, err = r.send(ctx, body); err == nil || !again {
			break
		}
		select {
		case <-ctx.Done():
			n = attempts
		case <-time.After(pause):
		}
	}
	if failed := err != nil; r.failing.Swap(failed) != failed {
		if failed {
			r.log.Warn("traces are not taken, and are dropped", "error", err)
		} else {
			r.log.Info("traces are taken again")
		}
	}
	return nil // it was said
}

// send sends a message, and says whether it may be sent again.
func (r *receiver) send(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.endpoint, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header = r.header.Clone()
	if r.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return false, nil
	case code == http.StatusTooManyRequests, code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		return true, fmt.Errorf("the receiver of traces answers %s", resp.Status)
	default:
		return false, fmt.Errorf("the receiver of traces answers %s", resp.Status)
	}
}

// Shutdown implements sdk.SpanExporter.
func (r *receiver) Shutdown(context.Context) error { return nil }
