// Package testcluster lends tests a namespace of a real cluster, which they
// find by ZR_TEST_KUBECONFIG, and an image whose container does what it is
// told. It is imported by tests only.
package testcluster

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"zr/pkg/kube"
)

// Cluster is a namespace of its own in a real cluster.
type Cluster struct {
	Client    *kube.Client
	Namespace string

	t      testing.TB
	config *kube.Config
	http   *http.Client
}

// New makes a namespace that is removed when the test ends, or skips the test
// where there is no cluster.
func New(t testing.TB) *Cluster {
	t.Helper()
	path := os.Getenv("ZR_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("ZR_TEST_KUBECONFIG names no cluster")
	}
	cfg, err := kube.Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Namespace: "zrtest-" + strings.ToLower(rand.Text()[:10]), t: t, config: cfg}
	c.Client = c.With(func(*kube.Config) {})
	c.http = &http.Client{Transport: c.Client.Transport()}
	c.Do(http.MethodPost, "/api/v1/namespaces", fmt.Sprintf("metadata: {name: %s}", c.Namespace))
	t.Cleanup(func() { c.Do(http.MethodDelete, "/api/v1/namespaces/"+c.Namespace, "gracePeriodSeconds: 0") })
	// Pods need it, and a controller makes it a moment later.
	c.Await("the default ServiceAccount", func() bool {
		_, code := c.try(http.MethodGet, "/api/v1/namespaces/"+c.Namespace+"/serviceaccounts/default", "", "")
		return code == http.StatusOK
	})
	return c
}

// With returns a client of the cluster whose Config is another.
func (c *Cluster) With(change func(*kube.Config)) *kube.Client {
	c.t.Helper()
	cfg := *c.config
	change(&cfg)
	client, err := kube.New(&cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// paths are where objects of a kind live, below their group and namespace.
var paths = map[string]string{
	"Deployment": "deployments", "StatefulSet": "statefulsets", "Pod": "pods", "ConfigMap": "configmaps", "Secret": "secrets",
	"ResourceQuota": "resourcequotas", "PersistentVolumeClaim": "persistentvolumeclaims", "Service": "services",
}

// Apply puts objects, written as YAML documents, into the namespace.
func (c *Cluster) Apply(manifests string) {
	c.t.Helper()
	for doc := range strings.SplitSeq(manifests, "\n---\n") {
		var o struct {
			APIVersion, Kind string
			Metadata         struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			c.t.Fatal(err)
		}
		c.Do(http.MethodPatch, c.path(o.APIVersion, o.Kind, o.Metadata.Name)+"?fieldManager=zrtest&force=true", doc)
	}
}

func (c *Cluster) path(apiVersion, kind, name string) string {
	root := "/apis/"
	if apiVersion == "v1" {
		root = "/api/"
	}
	return root + apiVersion + "/namespaces/" + c.Namespace + "/" + paths[kind] + "/" + name
}

// Do sends a request, with a body written as YAML, and returns the answer.
func (c *Cluster) Do(method, path, body string) []byte {
	c.t.Helper()
	kind := "application/yaml"
	if method == http.MethodPatch {
		kind = "application/apply-patch+yaml"
	}
	answer, code := c.try(method, path, kind, body)
	if code/100 != 2 {
		c.t.Fatalf("%s %s: %d: %s", method, path, code, answer)
	}
	return answer
}

func (c *Cluster) try(method, path, kind, body string) ([]byte, int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Client.URL().String(), "/")+path, bytes.NewReader([]byte(body)))
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer, resp.StatusCode
}

// Await waits until a condition holds, and fails the test after two minutes,
// which is more than a busy machine needs for anything that a test awaits.
func (c *Cluster) Await(what string, holds func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			c.t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
