package relay

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A relay reaches a NodePort on both of its ways: straight, and where this machine
// does not reach the node, as with a rootless engine, by the API.
func TestANodePortIsReachedOnBothWays(t *testing.T) {
	kubeconfig := os.Getenv("ZR_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("ZR_TEST_KUBECONFIG is not set")
	}
	route, err := RouteOf(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := route.client.Dynamic(func(context.Context, string) {})
	if err != nil {
		t.Fatal(err)
	}
	services := objects.Resource(schema.GroupVersionResource{Version: "v1", Resource: "services"}).Namespace("kube-system")
	service, err := services.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"generateName": "zrtest-relay-"},
		"spec": map[string]any{"type": "NodePort", "selector": map[string]any{"k8s-app": "kube-dns"},
			"ports": []any{map[string]any{"port": int64(9153)}}}, // the DNS server's metrics
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := services.Delete(context.Background(), service.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	ports, _, _ := unstructured.NestedSlice(service.Object, "spec", "ports")
	node, _, _ := unstructured.NestedInt64(ports[0].(map[string]any), "nodePort")
	broken := *route.config
	broken.TLSClientConfig.CAData, broken.TLSClientConfig.CAFile = nil, ""
	broken.TLSClientConfig.Insecure = true // no certificate proves an address any more
	unproven, err := newRoute(&broken)
	if err != nil {
		t.Fatal(err)
	}
	for name, dial := range map[string]Dial{
		"straight":          route.Dial,
		"by the API":        route.byAPI,
		"without its proof": unproven.Dial,
	} {
		waiting, cancel := context.WithTimeout(t.Context(), 30*time.Second) // kube-proxy has to hear of it
		for {
			err := askMetrics(waiting, dial, int32(node))
			if err == nil {
				break
			}
			if pause(waiting, 50*time.Millisecond); waiting.Err() != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
		cancel()
	}
}

func askMetrics(ctx context.Context, dial Dial, node int32) error {
	c, err := dial(ctx, node)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if _, err := io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && !strings.Contains(string(text), "coredns_") {
		err = io.ErrUnexpectedEOF
	}
	return err
}
