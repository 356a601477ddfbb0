package lifecycle_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
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

	"zr/internal/api/access"
	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/kube"
	"zr/internal/api/lifecycle"
	routes "zr/internal/api/routes/lifecycle"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

var quiet = slog.New(slog.DiscardHandler)

// environment is a namespace of a real API server, and an api with the rights of
// kustomize/base/api/role.yaml in it.
type environment struct {
	*apitest.App
	t    *testing.T
	cfg  *rest.Config
	name string
	db   *postgres.Store
	kube *kube.Client
}

func newEnvironment(t *testing.T) *environment {
	t.Helper()
	e := &environment{t: t, cfg: kubetest.Config(t), name: kubetest.Namespace(t)}
	all := kubetest.Client(t, e.cfg, "", "v1", "namespaces")
	e.create(all, "{apiVersion: v1, kind: Namespace, metadata: {name: "+e.name+"}}")
	t.Cleanup(func() { _ = all.Delete(context.WithoutCancel(t.Context()), e.name, metav1.DeleteOptions{}) })
	e.kube = e.inCluster(e.token())
	e.serve(environments.Only(&environments.Environment{Own: true, Changes: lifecycle.New(e.kube)}))
	return e
}

// serve serves the routes of these environments.
func (e *environment) serve(served *environments.Set) {
	e.t.Helper()
	shared, store := e.stores()
	gate := access.New("", shared, store, quiet)
	e.App = apitest.Serve(e.t, func(a *contract.API) { routes.Add(a, served, gate, shared, quiet) })
}

func (e *environment) client(group, version, resource string) dynamic.ResourceInterface {
	return kubetest.Client(e.t, e.cfg, group, version, resource).Namespace(e.name)
}

func (e *environment) create(c dynamic.ResourceInterface, manifest string, sub ...string) *unstructured.Unstructured {
	e.t.Helper()
	var o unstructured.Unstructured
	err := yaml.Unmarshal([]byte(manifest), &o.Object)
	if err != nil {
		e.t.Fatal(err)
	}
	made, err := c.Create(e.t.Context(), &o, metav1.CreateOptions{}, sub...)
	if err != nil {
		e.t.Fatal(err)
	}
	return made
}

// token returns one of a service account that has the api's Role.
func (e *environment) token() string {
	e.t.Helper()
	manifests, err := os.ReadFile("../../../../kustomize/base/api/role.yaml")
	if err != nil {
		e.t.Fatal(err)
	}
	role, binding, _ := strings.Cut(string(manifests), "\n---\n")
	accounts := e.client("", "v1", "serviceaccounts")
	e.create(accounts, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: api}}")
	e.create(e.client("rbac.authorization.k8s.io", "v1", "roles"), role)
	e.create(e.client("rbac.authorization.k8s.io", "v1", "rolebindings"), binding+"    namespace: "+e.name+"\n")
	var request unstructured.Unstructured
	request.SetAPIVersion("authentication.k8s.io/v1")
	request.SetKind("TokenRequest")
	request.SetName("api")
	made, err := accounts.Create(e.t.Context(), &request, metav1.CreateOptions{}, "token")
	if err != nil {
		e.t.Fatal(err)
	}
	token, _, _ := unstructured.NestedString(made.Object, "status", "token")
	return token
}

// inCluster returns the client that a pod with this token would have.
func (e *environment) inCluster(token string) *kube.Client {
	e.t.Helper()
	u, err := url.Parse(e.cfg.Host)
	if err != nil {
		e.t.Fatal(err)
	}
	ca := e.cfg.CAData
	if len(ca) == 0 { // a control plane of the test's own: what it shows is trusted
		conn, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			e.t.Fatal(err)
		}
		defer conn.Close()
		for _, cert := range conn.ConnectionState().PeerCertificates {
			ca = append(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
		}
	}
	mount := e.t.TempDir()
	for name, content := range map[string]string{"namespace": e.name, "token": token, "ca.crt": string(ca)} {
		if err := os.WriteFile(filepath.Join(mount, name), []byte(content), 0o600); err != nil {
			e.t.Fatal(err)
		}
	}
	client, err := kube.InCluster(func(name string) string {
		return map[string]string{"KUBERNETES_SERVICE_HOST": u.Hostname(), "KUBERNETES_SERVICE_PORT": u.Port()}[name]
	}, mount)
	if err != nil {
		e.t.Fatal(err)
	}
	return client
}

// stores returns a Redis and a PostgreSQL with the api's schema.
func (e *environment) stores() (cache.Cache, *postgres.Store) {
	e.t.Helper()
	redis, server := storetest.NewRedis(e.t), storetest.NewPostgres(e.t)
	redis.Start()
	server.Start()
	shared, err := cache.Open(redis.URL(), quiet)
	if err != nil {
		e.t.Fatal(err)
	}
	if e.db, err = postgres.Open(server.URL("postgres"), quiet); err != nil {
		e.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.db.Run(ctx) })
	e.t.Cleanup(func() {
		cancel()
		running.Wait()
		e.db.Close()
		_ = shared.Close()
	})
	for e.db.Check(e.t.Context()) != nil && e.t.Context().Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	return shared, e.db
}

// deploy makes a Deployment whose pods no node takes.
func (e *environment) deploy(name string, replicas int, dependsOn string) {
	e.t.Helper()
	e.create(e.client("apps", "v1", "deployments"), fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment,
		metadata: {name: %[1]s, annotations: {zr.dev/depends-on: "%[3]s"}},
		spec: {replicas: %[2]d, selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}},
		spec: {schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "none:1"}]}}}}`, name, replicas, dependsOn))
}

// playKubelet calls every pod ready, in place of the node that it has not, until
// the test ends.
func (e *environment) playKubelet() {
	e.play(`{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}`)
}

// play gives every pod a status, until the test ends.
func (e *environment) play(status string) {
	pods := e.client("", "v1", "pods")
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
	e.t.Cleanup(func() {
		cancel()
		playing.Wait()
	})
}

// post sends an action.
func (e *environment) post(path, body string, headers ...string) apitest.Response {
	e.t.Helper()
	return e.Send(http.MethodPost, "/api/v1/services/"+path, body, headers...)
}

// generation counts the changes of what a Deployment is to be.
func (e *environment) generation(name string) int64 {
	e.t.Helper()
	d, err := e.client("apps", "v1", "deployments").Get(e.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		e.t.Fatal(err)
	}
	return d.GetGeneration()
}

// annotation is one of a Deployment.
func (e *environment) annotation(name, key string) string {
	e.t.Helper()
	d, err := e.client("apps", "v1", "deployments").Get(e.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		e.t.Fatal(err)
	}
	return d.GetAnnotations()[key]
}
