package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// tokenTimeout bounds a request to the api, which answers within its own limits.
const tokenTimeout = 30 * time.Second

// maxTokenAnswer is far more than the api answers with.
const maxTokenAnswer = 64 << 10

// TokenRequest says what token is wanted.
type TokenRequest struct {
	Name string `json:"name"` // what it is for
	Role string `json:"role"` // "viewer" or "operator"
	Days int    `json:"days"` // how long it can be used, 1 to 365
}

// MadeToken is a token with what it is shown as.
type MadeToken struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Expires time.Time `json:"expiresAt"`
	Secret  string    `json:"secret"`
}

// MakeToken logs in with a link of its own, and asks the api of the running
// environment for a token.
func (s *Stack) MakeToken(ctx context.Context, wanted TokenRequest) (made MadeToken, err error) {
	link, err := s.LoginLink(ctx)
	if err != nil {
		return made, err
	}
	base, text, _ := strings.Cut(link, "/login#")
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	session, err := post(ctx, base, "/api/v1/session", map[string]string{"ticket": text}, nil, nil)
	if err != nil {
		return made, fmt.Errorf("logging in at %s: %w", base, err)
	}
	if _, err = post(ctx, base, "/api/v1/tokens", wanted, session, &made); err != nil {
		return made, fmt.Errorf("making the token %q at %s: %w", wanted.Name, base, err)
	}
	return made, nil
}

// post sends a document as a page of the api itself would. It decodes the answer
// into into or, where that is nil, returns the cookies that it sets.
func post(ctx context.Context, base, path string, document any, cookies []*http.Cookie, into any) ([]*http.Cookie, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", base)
	for _, cookie := range cookies {
		req.AddCookie(cookie)
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // no redirect is followed: it would carry the session elsewhere
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		var problem struct {
			Detail string                     `json:"detail"`
			Errors []struct{ Message string } `json:"errors"`
		}
		_ = json.Unmarshal(answer, &problem) // a proxy's answer is not JSON: the status says enough
		for _, e := range problem.Errors {
			problem.Detail += "; " + e.Message
		}
		return nil, fmt.Errorf("status %d: %s", resp.StatusCode, problem.Detail)
	}
	if into == nil {
		return resp.Cookies(), nil
	}
	return nil, json.Unmarshal(answer, into)
}
