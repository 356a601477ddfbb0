package deploy_test

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/event"
)

// The overlay that most tests start from: a web server that reads settings and
// secrets, and a database with a claim.
const (
	kustomizationYAML = `
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: NAMESPACE
resources: [namespace.yaml, web.yaml, db.yaml]
`
	namespaceYAML = `
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
`
	webYAML = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web
          command: [/web]
          args: [--listen, ":8080"]
          env:
            - name: PASSWORD
              valueFrom: {secretKeyRef: {name: secrets, key: PASSWORD}}
          envFrom:
            - configMapRef: {name: settings}
          ports:
            - {name: http, containerPort: 8080}
          readinessProbe: {httpGet: {path: /health, port: http}, initialDelaySeconds: 3}
          livenessProbe: {httpGet: {path: /health, port: http}}
          resources:
            requests: {cpu: 0.1, memory: 64Mi}
            limits: {cpu: 1000m, memory: 128Mi}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
`
	dbYAML = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "example/db:1"}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  selector: {app: db}
  ports: [{port: 5432}]
`
)

// project is an overlay in a folder of its own.
type project struct {
	t         *testing.T
	namespace string
	dir       string
	options   deploy.Options
}

func newProject(t *testing.T) *project {
	t.Helper()
	p := &project{t: t, namespace: kubetest.Namespace(t), dir: t.TempDir()}
	p.options = deploy.Options{
		Overlay:  p.dir,
		Set:      "zr-test",
		Images:   map[string]string{"web": "localhost/test/web@sha256:" + strings.Repeat("a", 64)},
		Settings: map[string]string{"COLOUR": "blue", "SIZE": "3"},
		Secrets:  map[string]string{"PASSWORD": "correct horse"},
	}
	p.write("kustomization.yaml", kustomizationYAML)
	p.write("namespace.yaml", namespaceYAML)
	p.write("web.yaml", webYAML)
	p.write("db.yaml", dbYAML)
	return p
}

// write makes a file of the overlay, with NAMESPACE filled in.
func (p *project) write(name, content string) {
	p.t.Helper()
	content = strings.ReplaceAll(content, "NAMESPACE", p.namespace)
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// edit replaces a text in a file of the overlay.
func (p *project) edit(name, old, new string) {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		p.t.Fatalf("%s does not contain %q", name, old)
	}
	p.write(name, strings.ReplaceAll(string(data), old, new))
}

func (p *project) render() *deploy.Rendered {
	p.t.Helper()
	r, err := deploy.Render(p.t.Context(), p.options)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// run is a project on a cluster.
type run struct {
	*project
	cfg   *rest.Config
	admin *admin
}

func newRun(t *testing.T) *run {
	cfg := kubetest.Config(t)
	p := newProject(t)
	a := &admin{t, cfg}
	a.removeNamespace(p.namespace)
	return &run{p, cfg, a}
}

func (r *run) deployer() *deploy.Deployer {
	r.t.Helper()
	d, err := deploy.New(kubetest.Connect(r.t, r.cfg), r.options.Set, r.namespace)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *run) diff() *deploy.ChangeSet {
	r.t.Helper()
	cs, err := r.deployer().Diff(r.t.Context(), r.render())
	if err != nil {
		r.t.Fatal(err)
	}
	return cs
}

// diffError returns what Diff refuses with.
func (r *run) diffError() error {
	r.t.Helper()
	_, err := r.deployer().Diff(r.t.Context(), r.render())
	if err == nil {
		r.t.Fatal("nothing was refused")
	}
	return err
}

// up renders, compares and applies, and returns what was done.
func (r *run) up() *deploy.ChangeSet {
	r.t.Helper()
	rendered := r.render()
	d := r.deployer()
	cs, err := d.Diff(r.t.Context(), rendered)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := d.Apply(r.t.Context(), rendered, cs, event.Discard); err != nil {
		r.t.Fatal(err)
	}
	return cs
}

// actions returns what a change set does, by "Kind/name", unchanged objects
// left out.
func actions(cs *deploy.ChangeSet) map[string]deploy.Action {
	out := map[string]deploy.Action{}
	for _, c := range cs.Changed() {
		out[c.Kind+"/"+c.Name] = c.Action
	}
	return out
}

func expectActions(t *testing.T, cs *deploy.ChangeSet, want map[string]deploy.Action) {
	t.Helper()
	if got := actions(cs); !maps.Equal(got, want) {
		t.Errorf("the change set does %v, want %v", got, want)
	}
}

// itoa writes a port of a node.
func itoa(port int64) string { return strconv.FormatInt(port, 10) }

// fields returns the changes of one object by path.
func fields(cs *deploy.ChangeSet, kind, name string) map[string]deploy.FieldChange {
	out := map[string]deploy.FieldChange{}
	for _, c := range cs.Changes {
		if c.Kind == kind && c.Name == name {
			for _, f := range c.Fields {
				out[f.Path] = f
			}
		}
	}
	return out
}

func expectError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}
