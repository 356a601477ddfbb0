package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Kinds of workloads, and the resources that they are.
var resources = map[string]string{"Deployment": "deployments", "StatefulSet": "statefulsets"}

// fieldManager is under which name changes are recorded in the objects.
const fieldManager = "zr-api"

// Workload returns a Deployment or StatefulSet as it is now.
func (c *Client) Workload(ctx context.Context, kind, name string) (w Workload, err error) {
	if err := c.get(ctx, c.workloadPath(kind, name), &w); err != nil {
		return w, fmt.Errorf("reading %s %q: %w", kind, name, err)
	}
	return w, nil
}

// Patch changes a Deployment or StatefulSet by a JSON merge patch and returns what
// it is then. Where the patch names a resourceVersion that the object no longer
// has, the error's reason is Conflict.
func (c *Client) Patch(ctx context.Context, kind, name string, patch any) (w Workload, err error) {
	body, err := json.Marshal(patch)
	if err != nil {
		return w, fmt.Errorf("changing %s %q: %w", kind, name, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, c.base+c.workloadPath(kind, name)+"?fieldManager="+fieldManager, bytes.NewReader(body))
	if err != nil {
		return w, err
	}
	req.Header.Set("Content-Type", "application/merge-patch+json")
	if err := c.send(req, &w); err != nil {
		return w, fmt.Errorf("changing %s %q: %w", kind, name, err)
	}
	return w, nil
}

func (c *Client) workloadPath(kind, name string) string {
	return "/apis/apps/v1/namespaces/" + url.PathEscape(c.namespace) + "/" + resources[kind] + "/" + url.PathEscape(name)
}
