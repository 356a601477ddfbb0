package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"zr/internal/api/reason"
)

// maxBody bounds what one list may answer: some 2,000 pods.
const maxBody = 32 << 20

// Client reads one namespace, and changes the workloads of it. It is safe for concurrent use.
type Client struct {
	base      string // https://host:port
	namespace string

	mu    sync.Mutex
	creds credentials
}

// InCluster returns the Client of the pod that this process runs in, or
// ErrNotInCluster. getenv is os.Getenv; mount is MountPath.
func InCluster(getenv func(string) string, mount string) (*Client, error) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, ErrNotInCluster
	}
	ns, err := os.ReadFile(filepath.Join(mount, "namespace"))
	if os.IsNotExist(err) {
		return nil, ErrNotInCluster
	}
	if err != nil {
		return nil, fmt.Errorf("reading the service account's namespace: %w", err)
	}
	return &Client{
		base:      "https://" + net.JoinHostPort(host, port),
		namespace: strings.TrimSpace(string(ns)),
		creds:     credentials{mount: mount},
	}, nil
}

// Namespace returns the namespace that the Client reads.
func (c *Client) Namespace() string { return c.namespace }

// Deployments lists the Deployments of the namespace.
func (c *Client) Deployments(ctx context.Context) ([]Workload, error) {
	return list[Workload](ctx, c, "apis/apps/v1", "deployments")
}

// StatefulSets lists the StatefulSets of the namespace.
func (c *Client) StatefulSets(ctx context.Context) ([]Workload, error) {
	return list[Workload](ctx, c, "apis/apps/v1", "statefulsets")
}

// Pods lists the pods of the namespace.
func (c *Client) Pods(ctx context.Context) ([]Pod, error) {
	return list[Pod](ctx, c, "api/v1", "pods")
}

// list asks for any version that the server has at hand (resourceVersion 0),
// so that the answer comes from its cache and etcd is left alone. It may be a
// moment old; the next one will not be.
func list[T any](ctx context.Context, c *Client, group, resource string) ([]T, error) {
	var page struct {
		Items []T `json:"items"`
	}
	path := "/" + group + "/namespaces/" + url.PathEscape(c.namespace) + "/" + resource + "?resourceVersion=0"
	if err := c.get(ctx, path, &page); err != nil {
		return nil, fmt.Errorf("listing %s in namespace %q: %w", resource, c.namespace, err)
	}
	return page.Items, nil
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	return c.send(req, into)
}

// send adds the credentials to a request and decodes its answer.
func (c *Client) send(req *http.Request, into any) error {
	c.mu.Lock()
	token, transport, err := c.creds.load()
	c.mu.Unlock()
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "zr-api")
	// A redirect would carry the token elsewhere: RoundTrip follows none.
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, maxBody)
	if resp.StatusCode != http.StatusOK {
		return refusal(resp.StatusCode, body)
	}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("decoding the answer: %w", err)
	}
	return nil
}

// refusal turns the server's Status object into an error.
func refusal(code int, body io.Reader) error {
	var status struct {
		Message string `json:"message"`
	}
	_ = json.NewDecoder(body).Decode(&status) // a proxy's answer is not JSON: the code says enough
	err := fmt.Errorf("the Kubernetes API answered %d %s: %s", code, http.StatusText(code), status.Message)
	switch code {
	case http.StatusUnauthorized:
		return reason.With(reason.Auth, err)
	case http.StatusForbidden:
		return reason.With(reason.Forbidden, err)
	case http.StatusConflict:
		return reason.With(reason.Conflict, err)
	case http.StatusTooManyRequests:
		return reason.With(reason.Busy, err)
	}
	return err
}
