// Package logs follows what the containers of a namespace write, without gaps
// and without repeats, and finds the level of each line.
package logs

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/client-go/rest"

	"zr/pkg/event"
	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

// Options says which lines to read.
type Options = follow.Options

// None is the Tail of a reader that wants only new lines.
const None = follow.None

// Reader reads the logs of one cluster. It is safe for concurrent use.
type Reader struct{ lines *follow.Reader }

// New returns a Reader for the cluster of cfg. It does no I/O.
func New(cfg *rest.Config) (*Reader, error) {
	cfg = rest.CopyConfig(cfg)
	if cfg.UserAgent == "" {
		cfg.UserAgent = "zr-logs"
	}
	transport, err := transportFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing to read logs: %w", err)
	}
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing to read logs: %w", err)
	}
	return &Reader{follow.New(&http.Client{Transport: transport}, base)}, nil
}

// transportFor is rest.TransportFor with the bounds of following logs.
func transportFor(cfg *rest.Config) (http.RoundTripper, error) {
	tls, err := rest.TLSConfigFor(cfg)
	if err != nil {
		return nil, err
	}
	transport := follow.NewTransport(tls)
	transport.DialContext = cfg.Dial
	if transport.Proxy = cfg.Proxy; cfg.Proxy == nil {
		transport.Proxy = http.ProxyFromEnvironment
	}
	return rest.HTTPWrappersForConfig(cfg, transport)
}

// Follow passes every line that the options ask for to emit, as one line of
// text. What follow.Reader.Follow says holds for it too.
func (r *Reader) Follow(ctx context.Context, o Options, emit func(event.LogLine)) error {
	return r.lines.Follow(ctx, o, func(l follow.Line) {
		record := logline.Parse(l.Text)
		emit(event.LogLine{Time: l.Time, Service: l.Service, Pod: l.Pod, Container: l.Container, Level: record.Level,
			Text: strings.ReplaceAll(record.Text(), "\n", " ")})
	})
}
