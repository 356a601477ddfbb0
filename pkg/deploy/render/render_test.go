package render_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/internal/testkit"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/render/rendertest"
	"zr/pkg/fault"
	"zr/pkg/podconfig"
	"zr/pkg/probe"
)

func TestFaultsOfManifests(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(p *rendertest.Project)
		want []string
	}{
		{"no overlay", func(p *rendertest.Project) { p.Options.Overlay += "/none" }, []string{"/none: there is no such folder"}},
		{"no kustomization", func(p *rendertest.Project) { _ = os.Remove(filepath.Join(p.Dir, "kustomization.yaml")) }, []string{"there is no kustomization.yaml"}},
		{"kustomization is no YAML", func(p *rendertest.Project) { p.Write("kustomization.yaml", "resources: [\n") }, []string{"/kustomization.yaml:1: "}},
		{"unknown field of a kustomization", func(p *rendertest.Project) { p.Edit("kustomization.yaml", "resources:", "resorces:") }, []string{`/kustomization.yaml:5:1: unknown field "resorces"`}},
		{"missing file", func(p *rendertest.Project) { p.Edit("kustomization.yaml", "db.yaml", "nope.yaml") }, []string{`/kustomization.yaml:5:39: "nope.yaml" does not exist`}},
		{"missing folder", func(p *rendertest.Project) { p.Edit("kustomization.yaml", "db.yaml", "../../nope") }, []string{`/kustomization.yaml:5:39: "../../nope" does not exist`}},
		{"missing file of a base", func(p *rendertest.Project) {
			p.Folder("base", "resources: [gone.yaml]\n")
			p.Edit("kustomization.yaml", "db.yaml", "base")
		}, []string{`/base/kustomization.yaml:1:13: "gone.yaml" does not exist`}},
		{"no YAML", func(p *rendertest.Project) { p.Write("web.yaml", "a: b\n c: d\n") }, []string{"/web.yaml:2: mapping values are not allowed"}},
		{"key twice", func(p *rendertest.Project) { p.Edit("web.yaml", "  replicas: 2\n", "  replicas: 2\n  replicas: 3\n") }, []string{`/web.yaml:7:3: key "replicas" is there already, on line 6`}},
		{"no kind", func(p *rendertest.Project) { p.Write("namespace.yaml", "apiVersion: v1\nmetadata: {name: x}\n") }, []string{"/namespace.yaml:1:1: the manifest has no kind"}},
		{"unknown fields, all of them", func(p *rendertest.Project) {
			p.Edit("web.yaml", "replicas: 2", "replcas: 2")
			p.Edit("web.yaml", "image: web", "imag: web")
		}, []string{`/web.yaml:6:3: Deployment "web": unknown field "spec.replcas"`, `/web.yaml:13:11: Deployment "web": unknown field "spec.template.spec.containers[0].imag"`}},
		{"wrong type", func(p *rendertest.Project) { p.Edit("web.yaml", "replicas: 2", "replicas: two") }, []string{`/web.yaml:6:3: Deployment "web": field "spec.replicas": cannot unmarshal string, where int32 is wanted`}},
		{"unknown kind", func(p *rendertest.Project) { p.Edit("web.yaml", "kind: Deployment", "kind: Deploymnet") }, []string{`/web.yaml:3:1: Deploymnet "web": apps/v1 has no kind Deploymnet`}},
		{"no containers", func(p *rendertest.Project) {
			p.Edit("db.yaml", `containers: [{name: db, image: "example/db:1"}]`, "containers: []")
		}, []string{`/db.yaml:2:1: StatefulSet "db" has no containers`}},
		{"no template", func(p *rendertest.Project) {
			p.Write("db.yaml", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: db}\n")
		}, []string{`/db.yaml:1:1: StatefulSet "db" has no containers`}},
		{"no quantity", func(p *rendertest.Project) { p.Edit("web.yaml", "128Mi", "128 megs") }, []string{`/web.yaml:2:1: Deployment "web": quantities must match`}},
		{"missing secret", func(p *rendertest.Project) { delete(p.Options.Secrets, "PASSWORD") }, []string{`/web.yaml:2:1: Deployment "web" reads "PASSWORD" of Secret "secrets", which has no such key`}},
		{"patch of what is not there", func(p *rendertest.Project) {
			p.Edit("kustomization.yaml", "resources:", "patches: [{target: {kind: Deployment}, patch: \"- {op: remove, path: /a}\"}]\nresources:")
		}, []string{"remove", "/a"}},
		{"same object twice", func(p *rendertest.Project) { p.Edit("kustomization.yaml", "namespace.yaml", "web.yaml") }, []string{"already registered id: Deployment"}},
		{"no namespace", func(p *rendertest.Project) { p.Edit("kustomization.yaml", "namespace: ", "namePrefix: x-") }, []string{"has no namespace"}},
		{"two namespaces", func(p *rendertest.Project) {
			p.Edit("kustomization.yaml", "namespace: ", "namePrefix: x-")
			p.Edit("web.yaml", "metadata: {name: web}", "metadata: {name: web, namespace: a}")
			p.Edit("db.yaml", "metadata: {name: db}", "metadata: {name: db, namespace: b}")
		}, []string{"more than one namespace: a, b"}},
		{"settings of its own", func(p *rendertest.Project) {
			p.Write("namespace.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
		}, []string{`ConfigMap "settings" is made by zr`}},
		{"the Secret that stands for the set", func(p *rendertest.Project) {
			p.Write("namespace.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: zr-test}\n")
		}, []string{`Secret "zr-test" is made by zr`}},
		{"dev of nothing", func(p *rendertest.Project) { p.Options.Dev = map[string]render.DevService{"nobody": {}} }, []string{`named "nobody"`}},
		{"dev of somebody's image", func(p *rendertest.Project) { p.Options.Dev = map[string]render.DevService{"db": {}} }, []string{`StatefulSet "db"`, `image "db"`}},
		{"dev memory", func(p *rendertest.Project) { p.Options.Dev = map[string]render.DevService{"web": {Memory: "lots"}} }, []string{`Deployment "web"`, `"lots"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := rendertest.New(t)
			test.do(p)
			_, err := render.Render(t.Context(), p.Options)
			testkit.ErrorSays(t, err, append(test.want, "rendering overlay")...)
			if fault.Code(err) != fault.Usage {
				t.Errorf("the code is %d", fault.Code(err))
			}
		})
	}
}

func object(t *testing.T, r *render.Rendered, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, o := range r.Objects {
		if o.GetKind() == kind && o.GetName() == name {
			return o.Unstructured
		}
	}
	t.Fatalf("no %s %q is rendered", kind, name)
	return nil
}

func TestOrder(t *testing.T) {
	var got []string
	for _, o := range rendertest.New(t).Render().Objects {
		got = append(got, o.GetKind()+"/"+o.GetName())
	}
	last := func(names ...string) int {
		at := -1
		for _, n := range names {
			at = max(at, slices.Index(got, n))
		}
		return at
	}
	if !strings.HasPrefix(got[0], "Namespace/") || last("ConfigMap/settings", "Secret/secrets") > slices.Index(got, "Service/db") ||
		last("Service/db", "Service/web") > min(slices.Index(got, "Deployment/web"), slices.Index(got, "StatefulSet/db")) {
		t.Errorf("the order is %v", got)
	}
}

func TestViews(t *testing.T) {
	p := rendertest.New(t)
	p.Edit("web.yaml", "ports: [{port: 80, targetPort: http}]", "ports: [{port: 80, targetPort: http, nodePort: 30080}]")
	p.Write("hpa.yaml", `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {minReplicas: 3, maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
`)
	p.Edit("kustomization.yaml", "db.yaml", "db.yaml, hpa.yaml")
	r := p.Render()
	want := []render.Workload{
		{Kind: "StatefulSet", Namespace: p.Namespace, Name: "db", Replicas: 1, Selector: map[string]string{"app": "db"}, Services: []string{"db"}, Containers: []render.Container{
			{Name: "db", Image: "example/db:1", Manifest: "example/db:1"},
		}},
		{Kind: "Deployment", Namespace: p.Namespace, Name: "web", Replicas: 3, Selector: map[string]string{"app": "web"}, Services: []string{"web"}, Containers: []render.Container{
			{Name: "web", Image: p.Options.Images["web"], Manifest: "web", Command: []string{"/web"},
				Ports: []render.Port{{Name: "http", Number: 8080, Protocol: "TCP"}},
				Readiness: probe.Probe{Kind: "http", Scheme: "HTTP", Path: "/health", Port: 8080,
					Period: 10 * time.Second, Timeout: time.Second, Successes: 1, Failures: 3}},
		}},
	}
	if diff := cmp.Diff(want, r.Workloads()); diff != "" {
		t.Errorf("workloads (-want +got):\n%s", diff)
	}
	if _, set, _ := unstructured.NestedInt64(object(t, r, "Deployment", "web").Object, "spec", "replicas"); set {
		t.Error("the replicas that the autoscaler sets are applied too")
	}
	if got := r.Files(); len(got) != 5 || !slices.Contains(got, filepath.Join(p.Dir, "hpa.yaml")) {
		t.Errorf("the files are %v", got)
	}
}

func TestImages(t *testing.T) {
	p := rendertest.New(t)
	p.Options.Images = map[string]string{"web": ""}
	r := p.Render()
	image := func() string { return r.Workloads()[1].Containers[0].Image }
	if got := r.ExternalImages(); !slices.Equal(got, []string{"example/db:1"}) {
		t.Errorf("the images of others are %v", got)
	}
	if image() != "web" {
		t.Errorf("an image that is not pinned yet is %q", image())
	}
	for _, ref := range []string{"localhost/x/web@sha256:1", "localhost/x/web@sha256:2"} {
		r.Pin(map[string]string{"web": ref, "example/db": "localhost:5000/db:9"}, nil)
		if image() != ref {
			t.Errorf("pinned to %q, the image is %q", ref, image())
		}
	}
	if got := r.Workloads()[0].Containers[0].Image; got != "localhost:5000/db:9" {
		t.Errorf("an image with a tag, pinned by its name, is %q", got)
	}
	if got := r.ExternalImages(); len(got) != 0 {
		t.Errorf("the images of others are %v", got)
	}
}

// TestAMovingTagIsNotPulled is about nodes that hold what the manifests name.
func TestAMovingTagIsNotPulled(t *testing.T) {
	p := rendertest.New(t)
	for _, test := range []struct{ image, loaded, pulled string }{
		{`"example/db"`, "IfNotPresent", ""},
		{`"example/db:latest"`, "IfNotPresent", ""},
		{`"registry:5000/db"`, "IfNotPresent", ""},
		{`"example/db:1"`, "", ""},
		{`"example/db@sha256:` + strings.Repeat("b", 64) + `"`, "", ""},
		{`"web:latest"`, "", ""}, // pinned by digest
		{`"example/db", imagePullPolicy: Always`, "Always", "Always"},
	} {
		p.Write("db.yaml", strings.Replace(rendertest.DatabaseYAML, `"example/db:1"`, test.image, 1))
		for loaded, want := range map[bool]string{true: test.loaded, false: test.pulled} {
			p.Options.Loaded = loaded
			db := object(t, p.Render(), "StatefulSet", "db")
			containers, _, _ := unstructured.NestedSlice(db.Object, "spec", "template", "spec", "containers")
			if got, _, _ := unstructured.NestedString(containers[0].(map[string]any), "imagePullPolicy"); got != want {
				t.Errorf("%s, loaded %v: the policy is %q, want %q", test.image, loaded, got, want)
			}
		}
	}
}

func TestConfigHashIsOfWhatIsRead(t *testing.T) {
	p := rendertest.New(t)
	p.Edit("db.yaml", `image: "example/db:1"`, `image: "example/db:1", env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: SIZE}}}]`)
	hash := func(name string) string {
		for _, kind := range []string{"Deployment", "StatefulSet"} {
			for _, o := range p.Render().Objects {
				if o.GetKind() == kind && o.GetName() == name {
					hashes, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "annotations")
					return hashes[render.ConfigHashAnnotation] + hashes[podconfig.SettingsHashAnnotation]
				}
			}
		}
		return ""
	}
	for _, test := range []struct {
		change  string
		do      func()
		web, db bool
	}{
		{"nothing", func() {}, false, false},
		{"a setting that one of them reads by name", func() { p.Options.Settings["SIZE"] = "4" }, true, true},
		{"a setting that only the reader of all sees", func() { p.Options.Settings["COLOUR"] = "red" }, true, false},
		{"a new setting", func() { p.Options.Settings["NEW"] = "1" }, true, false},
		{"a secret", func() { p.Options.Secrets["PASSWORD"] = "another one" }, true, false},
		{"a secret that nobody reads", func() { p.Options.Secrets["OTHER"] = "x" }, false, false},
	} {
		web, db := hash("web"), hash("db")
		test.do()
		if rolled := hash("web") != web; rolled != test.web {
			t.Errorf("%s: web rolls: %v", test.change, rolled)
		}
		if rolled := hash("db") != db; rolled != test.db {
			t.Errorf("%s: db rolls: %v", test.change, rolled)
		}
	}
}

// What a service needs is written on its workload, where others read it, and not
// on its pods, which it would roll.
func TestNeedsAreWrittenOnTheWorkload(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kustomization.yaml": "namespace: shop\nresources: [web.yaml]\n",
		"web.yaml": `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {app: web}},
			template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := render.Render(t.Context(), render.Options{Overlay: dir, Set: "zr-x", Needs: map[string][]string{"web": {"cache", "db"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		pods, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "annotations")
		if got := o.GetAnnotations()[render.DependsOnAnnotation]; got != "cache,db" || pods[render.DependsOnAnnotation] != "" {
			t.Errorf("got %q, and %v on its pods", got, pods)
		}
		return
	}
	t.Error("no Deployment is rendered")
}
