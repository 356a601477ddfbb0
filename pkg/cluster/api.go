package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"k8s.io/client-go/rest"
)

// API is the few plain requests that finding a cluster takes. The clientset
// of client-go would cost every build of zr seconds for three of them.
type API struct {
	base   string
	client *http.Client
}

// NewAPI returns the API of the cluster that cfg names. It does no I/O.
func NewAPI(cfg *rest.Config) (*API, error) {
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, err
	}
	return &API{base: strings.TrimSuffix(base.String(), "/"), client: client}, nil
}

// Close lets go of the connections that the API keeps.
func (a *API) Close() { a.client.CloseIdleConnections() }

// Get decodes what the API server answers for path into out, which may be nil.
// An answer other than success is a *StatusError.
func (a *API) Get(ctx context.Context, path string, out any) error {
	return a.do(ctx, http.MethodGet, path, "", nil, out)
}

// Create makes an object in the collection at path.
func (a *API) Create(ctx context.Context, path string, object any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return a.do(ctx, http.MethodPost, path, "application/json", bytes.NewReader(body), nil)
}

// MergePatch sends a JSON merge patch for the object at path.
func (a *API) MergePatch(ctx context.Context, path string, patch any) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	return a.do(ctx, http.MethodPatch, path, "application/merge-patch+json", bytes.NewReader(body), nil)
}

func (a *API) do(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		// 512 bytes hold the message of a Status object; the rest says no more.
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		return &StatusError{Code: resp.StatusCode, Method: method, Path: path, Body: strings.TrimSpace(string(text))}
	}
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// StatusError is an answer of the API server other than success.
type StatusError struct {
	Code         int
	Method, Path string
	Body         string // its beginning
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Code, http.StatusText(e.Code))
}
