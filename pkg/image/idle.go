package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// idleLimiter gives up on a server that stops in the middle of an answer, or of taking a
// request: TCP alone would wait for it for a quarter of an hour, or forever.
type idleLimiter struct {
	http.RoundTripper
	idleTimeout time.Duration
}

func (l idleLimiter) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	r = r.WithContext(ctx)
	stopped := idle{"a request", l.idleTimeout}
	if r.Body != nil && r.Body != http.NoBody {
		body := &taken{r.Body, time.AfterFunc(l.idleTimeout, func() { cancel(stopped) }), l.idleTimeout}
		defer body.taking.Stop()
		r.Body = body
	}
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		if errors.Is(context.Cause(ctx), stopped) {
			err = stopped
		}
		cancel(nil)
		return nil, err
	}
	resp.Body = &idleLimited{resp.Body, func() { cancel(nil) }, l.idleTimeout}
	return resp, nil
}

// taken is the body of a request, of which a part is read when the line has taken that
// before.
type taken struct {
	io.ReadCloser
	taking      *time.Timer
	idleTimeout time.Duration
}

func (t *taken) Read(p []byte) (int, error) {
	t.taking.Stop()
	n, err := t.ReadCloser.Read(p)
	if err == nil {
		t.taking.Reset(t.idleTimeout)
	}
	return n, err
}

func (t *taken) Close() error {
	t.taking.Stop()
	return t.ReadCloser.Close()
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
		err = idle{"an answer", l.idleTimeout}
	}
	return n, err
}

func (l *idleLimited) Close() error {
	defer l.cancel()
	return l.ReadCloser.Close()
}

// idle is the error of a server that stopped. It is a net.Error.
type idle struct {
	in    string // what it stopped in
	after time.Duration
}

func (i idle) Error() string {
	return fmt.Sprintf("the registry stopped in the middle of %s: nothing for %s", i.in, i.after)
}
func (idle) Timeout() bool   { return true }
func (idle) Temporary() bool { return false }
