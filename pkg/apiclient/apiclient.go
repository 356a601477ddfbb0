// Package apiclient is zr's end of the api of an environment: a session that a login
// ticket begins, and requests in it.
package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"zr/pkg/ticket"
)

// maxAnswer bounds an answer: a page of the longest log lines.
const maxAnswer = 128 << 20

// Address is where the api is, and the key that it shares with zr.
type Address struct {
	Base string // such as http://localhost:3001
	Key  string // of login tickets
}

// ticket makes a login ticket of the user that zr runs as, for an operator.
func (a Address) ticket() (string, error) {
	return ticket.Make(a.Key, cmp.Or(os.Getenv("USER"), "somebody"), "operator", time.Now())
}

// Link is a link that logs the user in, once and within ticket.Life.
func (a Address) Link() (string, error) {
	text, err := a.ticket()
	if err != nil {
		return "", err
	}
	return a.Base + "/login#" + text, nil
}

// Session is a session of the api. It is safe for concurrent use.
type Session struct {
	base    string
	cookies []*http.Cookie
}

// Refused is an answer of the api that is a problem.
type Refused struct {
	Status int
	Detail string // may be empty: a proxy's answer is none of the api's
}

func (r *Refused) Error() string { return fmt.Sprintf("status %d: %s", r.Status, r.Detail) }

// LogIn begins a session.
func LogIn(ctx context.Context, at Address) (*Session, error) {
	text, err := at.ticket()
	if err != nil {
		return nil, err
	}
	s := &Session{base: at.Base}
	if s.cookies, err = s.send(ctx, http.MethodPost, "/api/v1/session", map[string]string{"ticket": text}, nil); err != nil {
		return nil, fmt.Errorf("logging in at %s: %w", at.Base, err)
	}
	return s, nil
}

// Post sends a document, and decodes the answer into into.
func (s *Session) Post(ctx context.Context, path string, document, into any) error {
	_, err := s.send(ctx, http.MethodPost, path, document, into)
	return err
}

// Header is what a request of the session has, besides what is its own: as a page of
// the api itself would send it.
func (s *Session) Header() http.Header {
	h := http.Header{"Origin": {s.base}}
	for _, cookie := range s.cookies {
		h.Add("Cookie", cookie.Name+"="+cookie.Value)
	}
	return h
}

// URL is that of a path in the api.
func (s *Session) URL(path string, query url.Values) string {
	if len(query) == 0 {
		return s.base + path
	}
	return s.base + path + "?" + query.Encode()
}

// send decodes the answer into into, where that is not nil, and returns the cookies that
// the answer sets.
func (s *Session) send(ctx context.Context, method, path string, document, into any) ([]*http.Cookie, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = s.Header()
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(req) // no redirect is followed: it would carry the session elsewhere
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, refused(resp.StatusCode, answer)
	}
	if into == nil {
		return resp.Cookies(), nil
	}
	return nil, json.Unmarshal(answer, into)
}

func refused(status int, answer []byte) *Refused {
	var problem struct {
		Detail string                     `json:"detail"`
		Errors []struct{ Message string } `json:"errors"`
	}
	_ = json.Unmarshal(answer, &problem) // a proxy's answer is not JSON: the status says enough
	for _, e := range problem.Errors {
		problem.Detail += "; " + e.Message
	}
	return &Refused{status, problem.Detail}
}
