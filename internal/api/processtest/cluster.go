// Package processtest runs the api as a pod of a real API server would run: as a
// process of its own, with the rights of its Role, on real PostgreSQL and Redis. What
// it follows are pods of a node whose kubelet is the test's own.
package processtest

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"zr/internal/api/apitest/clustertest"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/kube"
	"zr/pkg/kube/lean"
)

// Cluster is a namespace of a real API server.
type Cluster struct {
	*clustertest.Namespace

	objects map[string]dynamic.ResourceInterface // by resource: making one asks the server for all
}

// New makes a namespace in a cluster of package kubetest; it is removed with the test.
func New(t testing.TB, cfg *kube.Config) *Cluster {
	t.Helper()
	return &Cluster{clustertest.In(t, cfg), map[string]dynamic.ResourceInterface{}}
}

// Objects returns a client for one resource in the namespace.
func (c *Cluster) Objects(group, version, resource string) dynamic.ResourceInterface {
	if c.objects[resource] == nil {
		c.objects[resource] = c.Client(group, version, resource)
	}
	return c.objects[resource]
}

// heartbeat is how often the node says that it lives; the controllers give it 40 s.
const heartbeat = 10 * time.Second

// Node makes a node of the cluster whose kubelet is the returned one. The API server
// is one of this machine: it finds the kubelet on the loopback.
func (c *Cluster) Node() *Kubelet {
	c.T.Helper()
	k := newKubelet(c.T)
	name := c.Name
	nodes := kubetest.Client(c.T, c.Cfg, "", "v1", "nodes")
	c.Create(nodes, fmt.Sprintf(`{apiVersion: v1, kind: Node, metadata: {name: %s}, status: {addresses: [{type: InternalIP, address: 127.0.0.1}],
		daemonEndpoints: {kubeletEndpoint: {Port: %d}}, conditions: [{type: Ready, status: "True"}]}}`, name, k.port))
	leases := kubetest.Client(c.T, c.Cfg, "coordination.k8s.io", "v1", "leases").Namespace("kube-node-lease")
	now := func() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }
	c.Create(leases, fmt.Sprintf(`{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: %[1]s}, spec: {holderIdentity: %[1]s, leaseDurationSeconds: 40, renewTime: "%[2]s"}}`, name, now()))
	ctx, cancel := context.WithCancel(context.Background())
	var beating sync.WaitGroup
	beating.Go(func() {
		for ctx.Err() == nil {
			patch := fmt.Sprintf(`{"spec":{"renewTime":"%s"}}`, now())
			_, _ = leases.Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}) // the next one comes soon
			select {
			case <-ctx.Done():
			case <-time.After(heartbeat):
			}
		}
	})
	c.T.Cleanup(func() {
		cancel()
		beating.Wait()
		ctx := context.WithoutCancel(c.T.Context())
		_ = nodes.Delete(ctx, name, metav1.DeleteOptions{})
		_ = leases.Delete(ctx, name, metav1.DeleteOptions{})
	})
	return k
}

// Pod makes a pod on the node of Node, which runs from now on.
func (c *Cluster) Pod(name string) {
	c.T.Helper()
	pods := c.Objects("", "v1", "pods")
	c.Create(pods, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: %[1]s, labels: {app.kubernetes.io/name: %[1]s}},
		spec: {nodeName: %[2]s, automountServiceAccountToken: false, containers: [{name: main, image: "none:1"}]}}`, name, c.Name))
	c.SetPod(name, `{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"main","ready":true,"restartCount":0,
		"image":"none:1","imageID":"none","state":{"running":{"startedAt":"2026-01-02T15:04:05Z"}}}]}`)
}

// Workload makes a StatefulSet with one pod, <name>-0, that no node takes.
func (c *Cluster) Workload(name string) {
	c.T.Helper()
	c.Create(c.Objects("apps", "v1", "statefulsets"), fmt.Sprintf(`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: %[1]s},
		spec: {serviceName: none, selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}},
		spec: {schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "none:1"}]}}}}`, name))
	pods := c.Objects("", "v1", "pods")
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		_, err := pods.Get(c.T.Context(), name+"-0", metav1.GetOptions{})
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.T.Fatal(err)
		}
	}
}

// Event tells something of a pod.
func (c *Cluster) Event(pod, message string) {
	c.T.Helper()
	c.Create(c.Objects("", "v1", "events"), fmt.Sprintf(`{apiVersion: v1, kind: Event, metadata: {name: %[1]s.1}, type: Warning, reason: Failed, message: %[2]q,
		involvedObject: {apiVersion: v1, kind: Pod, name: %[1]s, namespace: %[3]s}}`, pod, message, c.Name))
}

// Follow passes the time of every further line of a pod to seen until ctx ends, as
// "kubectl logs --follow --since=1s" reads them.
func (c *Cluster) Follow(ctx context.Context, pod string, seen func(at time.Time)) {
	client := kubetest.Connect(c.T, c.Cfg)
	log, err := client.Log(ctx, c.Name, pod, "main", lean.LogOptions{Follow: true, Since: time.Now()})
	if err != nil {
		c.T.Error(err)
		return
	}
	defer log.Close()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		stamp, _, _ := strings.Cut(lines.Text(), " ")
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
			seen(at)
		}
	}
}

// SetPod gives a pod a status.
func (c *Cluster) SetPod(name, status string) {
	c.T.Helper()
	patch := []byte(`{"status":` + status + `}`)
	if _, err := c.Objects("", "v1", "pods").Patch(c.T.Context(), name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		c.T.Fatal(err)
	}
}
