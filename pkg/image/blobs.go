package image

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// blobs asks a registry about the blobs of a repository, and sends it some.
type blobs struct {
	repo   name.Repository
	client http.Client
	seen   *seen
	// patience is how often what broke off is tried again.
	patience remote.Backoff
}

// blobsOf signs in to the registry of a repository, to push to it and to read the
// repositories that others are.
func (r Registry) blobsOf(ctx context.Context, repo name.Repository, others ...name.Repository) (*blobs, error) {
	keychain, rt := r.Keychain, r.Transport
	if keychain == nil {
		keychain = authn.DefaultKeychain
	}
	if rt == nil {
		rt = impatient
	}
	auth, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		return nil, err
	}
	scopes := []string{repo.Scope(transport.PushScope)}
	for _, other := range others {
		scopes = append(scopes, other.Scope(transport.PullScope))
	}
	b := &blobs{repo: repo, seen: &seen{next: transport.NewUserAgent(rt, "zr"), host: repo.RegistryStr()}, patience: patience}
	if b.client.Transport, err = transport.NewWithContext(ctx, repo.Registry, auth, b.seen, scopes); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *blobs) path() string { return "/v2/" + b.repo.RepositoryStr() + "/blobs/" }

// address returns theirs. It is known when one was asked for.
func (b *blobs) address() string { return b.seen.scheme + "://" + b.repo.RegistryStr() + b.path() }

// has asks whether a blob is there.
func (b *blobs) has(ctx context.Context, digest v1.Hash) (bool, error) {
	address := b.repo.Scheme() + "://" + b.repo.RegistryStr() + b.path() + digest.String()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return false, err
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return false, nil
	}
	return resp.StatusCode == http.StatusOK, transport.CheckError(resp, http.StatusOK)
}

// seen remembers how a registry is signed in to. It sends the body of a request from its
// start each time: one whose token is refused is made again with another, when some of it
// was read.
type seen struct {
	next http.RoundTripper
	host string

	mu                    sync.Mutex
	scheme, authorization string
}

func (s *seen) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == s.host && strings.Contains(req.URL.Path, "/blobs/") {
		s.mu.Lock()
		s.scheme, s.authorization = req.URL.Scheme, req.Header.Get("Authorization")
		s.mu.Unlock()
	}
	if req.GetBody != nil {
		req.Body.Close()
		fresh := *req
		var err error
		if fresh.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
		req = &fresh
	}
	return s.next.RoundTrip(req)
}
