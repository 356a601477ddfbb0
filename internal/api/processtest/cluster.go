// Package processtest runs the api as a pod of a real API server would run: as a
// process of its own, with the rights of its Role, on real PostgreSQL and Redis. What
// it follows are pods of a node whose kubelet is the test's own.
package processtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"zr/pkg/deploy/kubetest"
	"zr/pkg/kube"
	"zr/pkg/kube/lean"
)

// Cluster is a namespace of a real API server.
type Cluster struct {
	Namespace string
	Config    *kube.Config

	t       testing.TB
	objects map[string]dynamic.ResourceInterface // by resource: making one asks the server for all
}

// New makes a namespace in a cluster of package kubetest; it is removed with the test.
func New(t testing.TB, cfg *kube.Config) *Cluster {
	t.Helper()
	c := &Cluster{Namespace: kubetest.Namespace(t), Config: cfg, t: t, objects: map[string]dynamic.ResourceInterface{}}
	all := kubetest.Client(t, c.Config, "", "v1", "namespaces")
	c.create(all, "{apiVersion: v1, kind: Namespace, metadata: {name: "+c.Namespace+"}}")
	t.Cleanup(func() { _ = all.Delete(context.WithoutCancel(t.Context()), c.Namespace, metav1.DeleteOptions{}) })
	return c
}

// Objects returns a client for one resource in the namespace.
func (c *Cluster) Objects(group, version, resource string) dynamic.ResourceInterface {
	if c.objects[resource] == nil {
		c.objects[resource] = kubetest.Client(c.t, c.Config, group, version, resource).Namespace(c.Namespace)
	}
	return c.objects[resource]
}

func (c *Cluster) create(in dynamic.ResourceInterface, manifest string, sub ...string) *unstructured.Unstructured {
	c.t.Helper()
	var o unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(manifest), &o.Object); err != nil {
		c.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		made, err := in.Create(c.t.Context(), &o, metav1.CreateOptions{}, sub...)
		if err == nil {
			return made
		}
		// A pod wants the account "default", which a controller makes.
		if !strings.Contains(err.Error(), "serviceaccount") || time.Now().After(deadline) {
			c.t.Fatal(err)
		}
	}
}

// Mount returns what the kubelet would give the api: the variables of the
// environment, and in them the folder of its credentials.
func (c *Cluster) Mount() map[string]string {
	c.t.Helper()
	u, err := url.Parse(c.Config.Host)
	if err != nil {
		c.t.Fatal(err)
	}
	ca := c.Config.CAData
	if len(ca) == 0 { // a control plane of the test's own: what it shows is trusted
		conn, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			c.t.Fatal(err)
		}
		defer conn.Close()
		for _, cert := range conn.ConnectionState().PeerCertificates {
			ca = append(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
		}
	}
	mount := c.t.TempDir()
	for name, content := range map[string]string{"namespace": c.Namespace, "token": c.token(), "ca.crt": string(ca)} {
		if err := os.WriteFile(filepath.Join(mount, name), []byte(content), 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	return map[string]string{"KUBERNETES_SERVICE_HOST": u.Hostname(), "KUBERNETES_SERVICE_PORT": u.Port(), "SERVICE_ACCOUNT_DIR": mount}
}

// token returns one of a service account that has the api's Role.
func (c *Cluster) token() string {
	c.t.Helper()
	manifests, err := os.ReadFile("../../../kustomize/base/api/role.yaml")
	if err != nil {
		c.t.Fatal(err)
	}
	role, binding, _ := strings.Cut(string(manifests), "\n---\n")
	accounts := c.Objects("", "v1", "serviceaccounts")
	c.create(accounts, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: api}}")
	c.create(c.Objects("rbac.authorization.k8s.io", "v1", "roles"), role)
	c.create(c.Objects("rbac.authorization.k8s.io", "v1", "rolebindings"), binding+"    namespace: "+c.Namespace+"\n")
	made := c.create(accounts, "{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, metadata: {name: api}}", "token")
	token, _, _ := unstructured.NestedString(made.Object, "status", "token")
	return token
}

// heartbeat is how often the node says that it lives; the controllers give it 40 s.
const heartbeat = 10 * time.Second

// Node makes a node of the cluster whose kubelet is the returned one. The API server
// is one of this machine: it finds the kubelet on the loopback.
func (c *Cluster) Node() *Kubelet {
	c.t.Helper()
	k := newKubelet(c.t)
	name := c.Namespace
	nodes := kubetest.Client(c.t, c.Config, "", "v1", "nodes")
	c.create(nodes, fmt.Sprintf(`{apiVersion: v1, kind: Node, metadata: {name: %s}, status: {addresses: [{type: InternalIP, address: 127.0.0.1}],
		daemonEndpoints: {kubeletEndpoint: {Port: %d}}, conditions: [{type: Ready, status: "True"}]}}`, name, k.port))
	leases := kubetest.Client(c.t, c.Config, "coordination.k8s.io", "v1", "leases").Namespace("kube-node-lease")
	now := func() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }
	c.create(leases, fmt.Sprintf(`{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: %[1]s}, spec: {holderIdentity: %[1]s, leaseDurationSeconds: 40, renewTime: "%[2]s"}}`, name, now()))
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
	c.t.Cleanup(func() {
		cancel()
		beating.Wait()
		ctx := context.WithoutCancel(c.t.Context())
		_ = nodes.Delete(ctx, name, metav1.DeleteOptions{})
		_ = leases.Delete(ctx, name, metav1.DeleteOptions{})
	})
	return k
}

// Pod makes a pod on the node of Node, which runs from now on.
func (c *Cluster) Pod(name string) {
	c.t.Helper()
	pods := c.Objects("", "v1", "pods")
	c.create(pods, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: %[1]s, labels: {app.kubernetes.io/name: %[1]s}},
		spec: {nodeName: %[2]s, automountServiceAccountToken: false, containers: [{name: main, image: "none:1"}]}}`, name, c.Namespace))
	c.SetPod(name, `{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"main","ready":true,"restartCount":0,
		"image":"none:1","imageID":"none","state":{"running":{"startedAt":"2026-01-02T15:04:05Z"}}}]}`)
}

// Workload makes a StatefulSet with one pod, <name>-0, that no node takes.
func (c *Cluster) Workload(name string) {
	c.t.Helper()
	c.create(c.Objects("apps", "v1", "statefulsets"), fmt.Sprintf(`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: %[1]s},
		spec: {serviceName: none, selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}},
		spec: {schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "none:1"}]}}}}`, name))
	pods := c.Objects("", "v1", "pods")
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		_, err := pods.Get(c.t.Context(), name+"-0", metav1.GetOptions{})
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatal(err)
		}
	}
}

// Event tells something of a pod.
func (c *Cluster) Event(pod, message string) {
	c.t.Helper()
	c.create(c.Objects("", "v1", "events"), fmt.Sprintf(`{apiVersion: v1, kind: Event, metadata: {name: %[1]s.1}, type: Warning, reason: Failed, message: %[2]q,
		involvedObject: {apiVersion: v1, kind: Pod, name: %[1]s, namespace: %[3]s}}`, pod, message, c.Namespace))
}

// Follow passes the time of every further line of a pod to seen until ctx ends, as
// "kubectl logs --follow --since=1s" reads them.
func (c *Cluster) Follow(ctx context.Context, pod string, seen func(at time.Time)) {
	client := kubetest.Connect(c.t, c.Config)
	log, err := client.Log(ctx, c.Namespace, pod, "main", lean.LogOptions{Follow: true, Since: time.Now()})
	if err != nil {
		c.t.Error(err)
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
	c.t.Helper()
	patch := []byte(`{"status":` + status + `}`)
	if _, err := c.Objects("", "v1", "pods").Patch(c.t.Context(), name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		c.t.Fatal(err)
	}
}
