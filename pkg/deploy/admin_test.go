package deploy_test

import (
	"context"
	"net/http"
	"os"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"zr/pkg/deploy/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

// counter counts the requests that write, dry runs included.
type counter struct {
	inner  http.RoundTripper
	reads  atomic.Int64
	writes atomic.Int64
}

func (c *counter) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet {
		c.reads.Add(1)
	} else {
		c.writes.Add(1)
	}
	return c.inner.RoundTrip(request)
}

// admin looks at the cluster and changes it, as somebody with kubectl would.
type admin struct {
	t   *testing.T
	cfg *rest.Config
}

func (a *admin) at(resource, namespace string) dynamic.ResourceInterface {
	group := ""
	switch resource {
	case "deployments", "statefulsets":
		group = "apps"
	case "jobs":
		group = "batch"
	case "networkpolicies":
		group = "networking.k8s.io"
	case "validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations":
		group = "admissionregistration.k8s.io"
	case "customresourcedefinitions":
		group = "apiextensions.k8s.io"
	}
	client := kubetest.Client(a.t, a.cfg, group, "v1", resource)
	if namespace == "" {
		return client
	}
	return client.Namespace(namespace)
}

// get returns an object, or nil.
func (a *admin) get(resource, namespace, name string) *unstructured.Unstructured {
	a.t.Helper()
	found, err := a.at(resource, namespace).Get(a.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return found
}

// removeNamespace deletes a namespace when the test is over, and does not wait.
func (a *admin) removeNamespace(name string) {
	a.t.Cleanup(func() {
		_ = a.at("namespaces", "").Delete(context.Background(), name, metav1.DeleteOptions{})
	})
}
