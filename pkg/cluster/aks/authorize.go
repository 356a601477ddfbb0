package aks

import (
	"io"
	"net/http"
)

// authorize puts a token on each request.
func (i *Identity) authorize(login Login) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper { return &authorized{next, i, login} }
}

type authorized struct {
	next     http.RoundTripper
	identity *Identity
	login    Login
}

// RoundTrip asks once more with another token where a server does not accept
// the first: it may have been taken back, or this machine's clock may be slow.
func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	value, err := a.identity.Token(req.Context(), a.login, "")
	if err != nil {
		return nil, err
	}
	resp, err := a.next.RoundTrip(with(req, value))
	if err != nil || resp.StatusCode != http.StatusUnauthorized || req.Body != nil && req.GetBody == nil {
		return resp, err
	}
	fresh, tokenErr := a.identity.Token(req.Context(), a.login, value)
	if tokenErr != nil || fresh == value {
		return resp, nil
	}
	again := with(req, fresh)
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return resp, nil
		}
	}
	_, _ = io.Copy(io.Discard, resp.Body) // so that its connection can be used again
	resp.Body.Close()
	return a.next.RoundTrip(again)
}

func with(req *http.Request, token string) *http.Request {
	signed := req.Clone(req.Context())
	signed.Header.Set("Authorization", "Bearer "+token)
	return signed
}
