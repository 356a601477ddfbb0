// Package clustertest gives tests of the api a namespace of a real API server, with the
// rights that the api has in it, and the stores that it has.
package clustertest

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"log/slog"
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
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"zr/internal/api/kube"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

var quiet = slog.New(slog.DiscardHandler)

// Namespace is one of a real API server.
type Namespace struct {
	T    testing.TB
	Cfg  *rest.Config // with all rights
	Name string
	Kube *kube.Client    // of New: with those of kustomize/base/api/role.yaml
	DB   *postgres.Store // of Stores
	// Postgres is the server of DB.
	Postgres *storetest.Postgres
}

// New makes a namespace with a client of the api, until the test ends. The TestMain of
// its package calls kubetest.Main.
func New(t testing.TB) *Namespace {
	t.Helper()
	n := In(t, kubetest.Config(t))
	mount := n.Mount()
	client, err := kube.InCluster(func(name string) string { return mount[name] }, mount[accountDir])
	if err != nil {
		t.Fatal(err)
	}
	n.Kube = client
	return n
}

// In makes a namespace in a cluster, until the test ends.
func In(t testing.TB, cfg *rest.Config) *Namespace {
	t.Helper()
	n := &Namespace{T: t, Cfg: cfg, Name: kubetest.Namespace(t)}
	all := kubetest.Client(t, n.Cfg, "", "v1", "namespaces")
	n.Create(all, "{apiVersion: v1, kind: Namespace, metadata: {name: "+n.Name+"}}")
	t.Cleanup(func() { _ = all.Delete(context.WithoutCancel(t.Context()), n.Name, metav1.DeleteOptions{}) })
	return n
}

// Client returns one of a resource in the namespace, with all rights.
func (n *Namespace) Client(group, version, resource string) dynamic.ResourceInterface {
	return kubetest.Client(n.T, n.Cfg, group, version, resource).Namespace(n.Name)
}

// Create makes an object of a manifest.
func (n *Namespace) Create(c dynamic.ResourceInterface, manifest string, sub ...string) *unstructured.Unstructured {
	n.T.Helper()
	var o unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(manifest), &o.Object); err != nil {
		n.T.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		made, err := c.Create(n.T.Context(), &o, metav1.CreateOptions{}, sub...)
		if err == nil {
			return made
		}
		// A pod wants the account "default", which a controller makes.
		if !strings.Contains(err.Error(), "looking up service account") || time.Now().After(deadline) {
			n.T.Fatal(err)
		}
	}
}

// accountDir is the variable that tells the api where its credentials are.
const accountDir = "SERVICE_ACCOUNT_DIR"

// Mount returns what the kubelet would give the api: the variables of the
// environment, and in them the folder of its credentials.
func (n *Namespace) Mount() map[string]string {
	n.T.Helper()
	u, err := url.Parse(n.Cfg.Host)
	if err != nil {
		n.T.Fatal(err)
	}
	ca := n.Cfg.CAData
	if len(ca) == 0 { // a control plane of the test's own: what it shows is trusted
		conn, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			n.T.Fatal(err)
		}
		defer conn.Close()
		for _, cert := range conn.ConnectionState().PeerCertificates {
			ca = append(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
		}
	}
	mount := n.T.TempDir()
	for name, content := range map[string]string{"namespace": n.Name, "token": n.token(), "ca.crt": string(ca)} {
		if err := os.WriteFile(filepath.Join(mount, name), []byte(content), 0o600); err != nil {
			n.T.Fatal(err)
		}
	}
	return map[string]string{"KUBERNETES_SERVICE_HOST": u.Hostname(), "KUBERNETES_SERVICE_PORT": u.Port(), accountDir: mount}
}

// token returns one of a service account that has the api's Role.
func (n *Namespace) token() string {
	n.T.Helper()
	role, binding, _ := strings.Cut(n.read("kustomize/base/api/role.yaml"), "\n---\n")
	accounts := n.Client("", "v1", "serviceaccounts")
	n.Create(accounts, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: api}}")
	n.Create(n.Client("rbac.authorization.k8s.io", "v1", "roles"), role)
	n.Create(n.Client("rbac.authorization.k8s.io", "v1", "rolebindings"), binding+"    namespace: "+n.Name+"\n")
	made := n.Create(accounts, "{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, metadata: {name: api}}", "token")
	token, _, _ := unstructured.NestedString(made.Object, "status", "token")
	return token
}

// read reads a file of the repository, in one of whose folders the test runs.
func (n *Namespace) read(path string) string {
	n.T.Helper()
	for up := 0; ; up++ {
		content, err := os.ReadFile(strings.Repeat("../", up) + path)
		if err == nil {
			return string(content)
		}
		if up == 10 {
			n.T.Fatal(err)
		}
	}
}

// Stores returns a Redis and a PostgreSQL with the api's schema.
func (n *Namespace) Stores() (cache.Cache, *postgres.Store) {
	n.T.Helper()
	redis, server := storetest.NewRedis(n.T), storetest.NewPostgres(n.T)
	n.Postgres = server
	redis.Start()
	server.Start()
	shared, err := cache.Open(redis.URL(), 8, quiet)
	if err != nil {
		n.T.Fatal(err)
	}
	if n.DB, err = postgres.Open(server.URL("postgres"), 8, quiet); err != nil {
		n.T.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.DB.Run(ctx) })
	n.T.Cleanup(func() {
		cancel()
		running.Wait()
		n.DB.Close()
		_ = shared.Close()
	})
	for n.DB.Check(n.T.Context()) != nil && n.T.Context().Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	return shared, n.DB
}

// PlayKubelet calls every pod ready, in place of the node that it has not, until
// the test ends.
func (n *Namespace) PlayKubelet() {
	n.Play(`{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}`)
}

// Play gives every pod a status, until the test ends.
func (n *Namespace) Play(status string) {
	pods := n.Client("", "v1", "pods")
	ctx, cancel := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	playing.Go(func() {
		for ctx.Err() == nil {
			if list, err := pods.List(ctx, metav1.ListOptions{}); err == nil {
				for _, pod := range list.Items {
					_, _ = pods.Patch(ctx, pod.GetName(), types.StrategicMergePatchType, []byte(status), metav1.PatchOptions{}, "status") // it may be gone
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	n.T.Cleanup(func() {
		cancel()
		playing.Wait()
	})
}
