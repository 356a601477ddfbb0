package kube

import (
	"net/http"
	"net/url"
	"sync"

	"zr/pkg/logs/follow"
)

// Streams returns a client for answers that last for hours, and the address that
// it is for. It brings the credentials.
func (c *Client) Streams() (*http.Client, *url.URL, error) {
	base, err := url.Parse(c.base)
	if err != nil {
		return nil, nil, err
	}
	// A redirect would carry the token elsewhere.
	none := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: &streams{client: c}, CheckRedirect: none}, base, nil
}

// streams adds the token of now to each request.
type streams struct {
	client *Client

	mu        sync.Mutex
	short     *http.Transport // the one that transport has the trust of
	transport *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (s *streams) RoundTrip(req *http.Request) (*http.Response, error) {
	s.client.mu.Lock()
	token, short, err := s.client.creds.load()
	s.client.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	if short != s.short { // the cluster's CA has changed
		s.short, s.transport = short, follow.NewTransport(short.TLSClientConfig.Clone())
	}
	transport := s.transport
	s.mu.Unlock()
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "zr-api logs")
	return transport.RoundTrip(req)
}
