package image

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// idleLimiter gives up on a server that stops in the middle of an answer: TCP
// alone would wait for it forever.
type idleLimiter struct {
	http.RoundTripper
	idleTimeout time.Duration
}

func (l idleLimiter) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	resp, err := l.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &idleLimited{resp.Body, cancel, l.idleTimeout}
	return resp, nil
}

// idleLimited is the body of an answer.
type idleLimited struct {
	io.ReadCloser
	cancel      context.CancelFunc
	idleTimeout time.Duration
}

func (l *idleLimited) Read(p []byte) (int, error) {
	limit := time.AfterFunc(l.idleTimeout, l.cancel)
	n, err := l.ReadCloser.Read(p)
	if !limit.Stop() && err != nil {
		err = idle(l.idleTimeout)
	}
	return n, err
}

func (l *idleLimited) Close() error {
	defer l.cancel()
	return l.ReadCloser.Close()
}

// idle is the error of a server that stopped. It is a net.Error.
type idle time.Duration

func (s idle) Error() string {
	return fmt.Sprintf("the registry stopped in the middle of an answer: nothing for %s", time.Duration(s))
}
func (idle) Timeout() bool   { return true }
func (idle) Temporary() bool { return false }
