// Package lean speaks to a Kubernetes API server over net/http: it reads,
// changes and watches objects, and reads logs. It links nothing of client-go,
// which supplies no more than an http.RoundTripper where there is a kubeconfig
// (package kube), and nothing at all in a pod (InCluster).
package lean

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// messageLimit is how much of a refusal is read, in bytes: a Status object with
// a long message fits.
const messageLimit = 64 << 10

// Client sends requests to one API server. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	transport http.RoundTripper
	userAgent string
}

// New returns a Client of the server at base. The transport signs the requests.
// No redirect is followed, since it would carry what signs them elsewhere.
func New(base *url.URL, transport http.RoundTripper, userAgent string) *Client {
	return &Client{base: base, transport: transport, userAgent: userAgent}
}

// URL returns the address of what is at a path below the server's.
func (c *Client) URL(path ...string) *url.URL { return c.base.JoinPath(path...) }

// Transport returns what signs the requests, for others of the same server.
func (c *Client) Transport() http.RoundTripper { return c.transport }

// The types of patches.
const (
	MergePatch     = "application/merge-patch+json"
	JSONPatch      = "application/json-patch+json"
	StrategicPatch = "application/strategic-merge-patch+json"
)

// Get decodes what the server answers for a path, such as "api/v1/nodes", into
// a value; nil discards it. An answer other than success is a *StatusError, as
// for all of a Client.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	return c.exchange(ctx, http.MethodGet, path, query, "", whole, nil, into)
}

// Create makes an object in the collection at a path. A query may have the server
// only try.
func (c *Client) Create(ctx context.Context, path string, query url.Values, object any) error {
	return c.exchange(ctx, http.MethodPost, path, query, "application/json", whole, object, nil)
}

// Patch changes the object at a path by a patch of a type. Into gets the object
// as it is afterwards; nil discards it.
func (c *Client) Patch(ctx context.Context, path string, query url.Values, patchType string, patch, into any) error {
	return c.exchange(ctx, http.MethodPatch, path, query, patchType, whole, patch, into)
}

// PatchForMetadata is Patch, answered with the metadata of the object alone: the
// server sends nothing of what it holds.
func (c *Client) PatchForMetadata(ctx context.Context, path string, query url.Values, patchType string, patch, into any) error {
	return c.exchange(ctx, http.MethodPatch, path, query, patchType, metadataOnly, patch, into)
}

// Delete deletes the object at a path, which may take the server some time. options
// are a DeleteOptions.
func (c *Client) Delete(ctx context.Context, path string, options any) error {
	return c.exchange(ctx, http.MethodDelete, path, nil, "application/json", whole, options, nil)
}

// What an answer is to hold.
const (
	whole        = "application/json, */*;q=0.5"
	metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
)

func (c *Client) exchange(ctx context.Context, method, path string, query url.Values, contentType, accept string, send, into any) error {
	var body io.Reader
	if send != nil {
		raw, err := json.Marshal(send)
		if err != nil {
			return fmt.Errorf("encoding what is sent to %s: %w", path, err)
		}
		body = bytes.NewReader(raw)
	}
	answer, err := c.do(ctx, method, path, query, contentType, accept, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if into == nil {
		_, err = io.Copy(io.Discard, answer)
		return err
	}
	if err := json.NewDecoder(answer).Decode(into); err != nil {
		return fmt.Errorf("decoding the answer of %s: %w", path, err)
	}
	return nil
}

// Stream opens what the server answers for a path. The caller closes it.
func (c *Client) Stream(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodGet, path, query, "", whole, nil)
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, contentType, accept string, body io.Reader) (io.ReadCloser, error) {
	u := c.URL(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", c.userAgent)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	said := &StatusError{}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, messageLimit)) // the code alone says enough
	if json.Unmarshal(text, said) != nil {
		said.Message = strings.TrimSpace(string(text)) // of what stands between
	}
	said.Code, said.Method, said.Path = resp.StatusCode, method, path
	return nil, said
}

// StatusError is an answer of the API server other than success.
type StatusError struct {
	Code    int    `json:"code"`    // of HTTP
	Reason  string `json:"reason"`  // in one word: "Forbidden"
	Message string `json:"message"` // in the server's words; may be empty
	// Method and Path are those of the request; empty where a watch told it.
	Method string `json:"-"`
	Path   string `json:"-"`
}

func (e *StatusError) Error() string {
	if e.Message != "" {
		return e.Message
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Code, http.StatusText(e.Code)))
}

// HasCode tells that the server answered with an HTTP status.
func HasCode(err error, code int) bool {
	var e *StatusError
	return errors.As(err, &e) && e.Code == code
}

// Refused tells that the user may not do it, an answer that is the same the next
// time.
func Refused(err error) bool {
	return HasCode(err, http.StatusForbidden) || HasCode(err, http.StatusUnauthorized)
}
