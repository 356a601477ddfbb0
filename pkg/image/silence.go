package image

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// listener gives up on a server that stops in the middle of an answer: TCP
// alone would wait for it forever.
type listener struct {
	http.RoundTripper
	silence time.Duration
}

func (l listener) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	resp, err := l.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &listened{resp.Body, cancel, l.silence}
	return resp, nil
}

// listened is the body of an answer.
type listened struct {
	io.ReadCloser
	cancel  context.CancelFunc
	silence time.Duration
}

func (l *listened) Read(p []byte) (int, error) {
	limit := time.AfterFunc(l.silence, l.cancel)
	n, err := l.ReadCloser.Read(p)
	if !limit.Stop() && err != nil {
		err = silent(l.silence)
	}
	return n, err
}

func (l *listened) Close() error {
	defer l.cancel()
	return l.ReadCloser.Close()
}

// silent is the error of a server that stopped. It is a net.Error.
type silent time.Duration

func (s silent) Error() string {
	return fmt.Sprintf("the registry stopped in the middle of an answer: nothing for %s", time.Duration(s))
}
func (silent) Timeout() bool   { return true }
func (silent) Temporary() bool { return false }
