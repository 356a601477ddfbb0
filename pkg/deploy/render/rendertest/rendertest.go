// Package rendertest gives tests overlays to render. It is imported by tests only.
package rendertest

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/pkg/deploy/render"
)

// The overlay that most tests start from: a web server that reads settings and
// secrets, and a database with a claim.
const (
	KustomizationYAML = `
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: NAMESPACE
resources: [namespace.yaml, web.yaml, db.yaml]
`
	NamespaceYAML = `
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
	DatabaseYAML = `
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

// Project is an overlay in a folder of its own.
type Project struct {
	T         *testing.T
	Namespace string // that no other test uses
	Dir       string
	Options   render.Options
}

// New writes the overlay that most tests start from.
func New(t *testing.T) *Project {
	t.Helper()
	p := &Project{T: t, Namespace: "zrtest-deploy-" + strings.ToLower(rand.Text()[:8]), Dir: t.TempDir()}
	p.Options = render.Options{
		Overlay:  p.Dir,
		Set:      "zr-test",
		Images:   map[string]string{"web": "localhost/test/web@sha256:" + strings.Repeat("a", 64)},
		Settings: map[string]string{"COLOUR": "blue", "SIZE": "3"},
		Secrets:  map[string]string{"PASSWORD": "correct horse"},
	}
	p.Write("kustomization.yaml", KustomizationYAML)
	p.Write("namespace.yaml", NamespaceYAML)
	p.Write("web.yaml", webYAML)
	p.Write("db.yaml", DatabaseYAML)
	return p
}

// Write makes a file of the overlay, with NAMESPACE filled in.
func (p *Project) Write(name, content string) {
	p.T.Helper()
	content = strings.ReplaceAll(content, "NAMESPACE", p.Namespace)
	if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(content), 0o600); err != nil {
		p.T.Fatal(err)
	}
}

// Edit replaces a text in a file of the overlay.
func (p *Project) Edit(name, old, new string) {
	p.T.Helper()
	data, err := os.ReadFile(filepath.Join(p.Dir, name))
	if err != nil {
		p.T.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		p.T.Fatalf("%s does not contain %q", name, old)
	}
	p.Write(name, strings.ReplaceAll(string(data), old, new))
}

// Folder makes a folder with a kustomization in it.
func (p *Project) Folder(name, kustomization string) {
	p.T.Helper()
	if err := os.Mkdir(filepath.Join(p.Dir, name), 0o700); err != nil {
		p.T.Fatal(err)
	}
	p.Write(name+"/kustomization.yaml", kustomization)
}

// Render renders it.
func (p *Project) Render() *render.Rendered {
	p.T.Helper()
	r, err := render.Render(p.T.Context(), p.Options)
	if err != nil {
		p.T.Fatal(err)
	}
	return r
}

// Text renders one file of manifests in the namespace "shop".
func Text(t *testing.T, manifests string, settings map[string]string) *render.Rendered {
	t.Helper()
	p := &Project{T: t, Namespace: "shop", Dir: t.TempDir()}
	p.Options = render.Options{Overlay: p.Dir, Set: "zr-x", Settings: settings}
	p.Write("kustomization.yaml", "namespace: shop\nresources: [all.yaml]\n")
	p.Write("all.yaml", manifests)
	return p.Render()
}
