package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"zr/pkg/fault"
)

// Where there is no registry, that must show in seconds. A connection that takes longer
// than this is as good as none. A registry that has not begun to answer by then will
// not.
const (
	connectTimeout = 3 * time.Second
	answerTimeout  = 20 * time.Second
)

// ErrUnreachable says that a registry could not be reached at all.
var ErrUnreachable = errors.New("the registry cannot be reached")

// Registry is how registries are asked. The zero value takes the
// credentials of the engines' and helpers' configuration files, and pulls for
// Linux on this machine's architecture, which is that of its nodes.
type Registry struct {
	Platform  v1.Platform
	Keychain  authn.Keychain
	Transport http.RoundTripper
	// Denied is what to do where the registry refuses a push. Default: log in.
	Denied string
}

// ParsePlatform reads "linux/arm64".
func ParsePlatform(text string) (v1.Platform, error) {
	p, err := v1.ParsePlatform(text)
	if err != nil {
		return v1.Platform{}, fmt.Errorf("parsing platform %q: %w", text, err)
	}
	return *p, nil
}

func (r Registry) options(ctx context.Context) []remote.Option {
	platform, keychain, rt := r.Platform, r.Keychain, r.Transport
	if platform.OS == "" {
		platform = v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	}
	if keychain == nil {
		keychain = authn.DefaultKeychain
	}
	if rt == nil {
		rt = impatient
	}
	return []remote.Option{
		remote.WithContext(ctx), remote.WithPlatform(platform), remote.WithAuthFromKeychain(keychain),
		remote.WithTransport(rt), remote.WithUserAgent("zr"), remote.WithRetryPredicate(worthRetrying),
	}
}

// idleTimeout is how long a registry may say nothing in the middle of an answer.
const idleTimeout = 30 * time.Second

// impatient gives up early on a registry that is not there, or no longer.
var impatient http.RoundTripper = func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = connectTimeout
	t.ResponseHeaderTimeout = answerTimeout
	return idleLimiter{t, idleTimeout}
}()

// worthRetrying is true for what broke off on the way. No connection at all
// is not tried again: that is how being offline looks.
func worthRetrying(err error) bool {
	if err == nil || unreachable(err) || errors.Is(err, context.Canceled) {
		return false
	}
	var temporary interface{ Temporary() bool }
	var cut *net.OpError // of a connection that there was
	brokeOff := errors.As(err, &cut) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	return brokeOff || errors.As(err, &temporary) && temporary.Temporary()
}

// unreachable reports whether err came before the registry said anything.
func unreachable(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	var said *transport.Error
	switch {
	case errors.As(err, &said):
		return false
	case errors.As(err, &dns):
		return true
	case errors.As(err, &op):
		return op.Op == "dial" || op.Op == "proxyconnect"
	}
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// Pull fetches an image into the store. The error is ErrUnreachable where no
// registry answered.
func (s *Store) Pull(ctx context.Context, ref string, registry Registry, progress func(done, total int64)) (Entry, error) {
	parsed, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil {
		return Entry{}, fmt.Errorf("parsing image reference %q: %w", ref, err)
	}
	img, err := remote.Image(parsed, registry.options(ctx)...)
	if err == nil {
		img, err = counted(img, progress)
	}
	var entry Entry
	if err == nil {
		entry, err = s.put(ctx, normalized(parsed), img, Pulled, "")
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return Entry{}, fmt.Errorf("pulling image %q: %w", ref, explain(err))
	}
	return entry, nil
}

// explain adds to a registry's error what can be done about it.
func explain(err error) error {
	var said *transport.Error
	switch {
	case unreachable(err):
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	case errors.As(err, &said) && said.StatusCode == http.StatusNotFound:
		return fault.Hint(err, "check the image's name and tag")
	case denied(err):
		return fault.Hint(err, "the image does not exist, or you have to log in to its registry first (docker login, podman login, az acr login)")
	}
	return err
}

// denied says whether a registry knows the user and refuses, or knows nobody.
func denied(err error) bool {
	var said *transport.Error
	return errors.As(err, &said) && (said.StatusCode == http.StatusUnauthorized || said.StatusCode == http.StatusForbidden)
}
