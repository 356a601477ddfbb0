package deploy

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// move has a set in the namespace "old", with a Deployment, a claim and a role
// of the cluster, and renders the same for the namespace "new".
func move(t *testing.T) (*stub, *render.Rendered) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kustomization.yaml": "namespace: new\nresources: [all.yaml]\nconfigMapGenerator: [{name: x, literals: [a=b]}]\ngeneratorOptions: {disableNameSuffixHash: true}\n",
		"all.yaml":           "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\nrules: []\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := render.Render(t.Context(), render.Options{Overlay: dir, Set: "zr-x"})
	if err != nil {
		t.Fatal(err)
	}
	p := state.NewParent("zr-x", "old")
	for gvk, k := range manifest.Known {
		switch gvk.Kind {
		case "Namespace", "PersistentVolumeClaim", "ClusterRole", "Deployment":
			p.Add(k, "old")
		}
	}
	m, err := p.Object()
	if err != nil {
		t.Fatal(err)
	}
	parent, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	member := func(kind, version, name string) string {
		return `{"kind":"` + kind + `","apiVersion":"` + version + `","metadata":{"name":"` + name + `","namespace":"old","uid":"` + name + `","labels":{"` + manifest.PartOfLabel + `":"` + manifest.SetID("zr-x", "old") + `"}}}`
	}
	role := strings.Replace(member("ClusterRole", "rbac.authorization.k8s.io/v1", "reader"), `"namespace":"old",`, "", 1)
	web := member("Deployment", "apps/v1", "web")
	s := &stub{documents: map[string]string{
		"/api/v1/secrets":                                        list(string(parent)),
		"/api/v1/namespaces/old/secrets/zr-x":                    string(parent),
		"/api/v1/namespaces/new":                                 `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"new"}}`,
		"/apis/apps/v1/namespaces/old/deployments":               list(web),
		"/apis/apps/v1/namespaces/old/deployments/web":           web,
		"/api/v1/namespaces/old/persistentvolumeclaims":          list(member("PersistentVolumeClaim", "v1", "data")),
		"/apis/rbac.authorization.k8s.io/v1/clusterroles":        list(role),
		"/apis/rbac.authorization.k8s.io/v1/clusterroles/reader": role,
	}}
	s.patch = func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		body = own(t, body)
		if q.URL.Query().Get("dryRun") == "" {
			s.documents[q.URL.Path] = string(body)
		}
		_, _ = w.Write(body)
	}
	return s, r
}

// TestAnOverlayWithAnotherNamespace removes what ran in the one before, from a
// cluster of the environment's own.
func TestAnOverlayWithAnotherNamespace(t *testing.T) {
	s, r := move(t)
	d := s.deployer(t, "zr-x", "new")
	d.Own = true
	cs, err := d.Diff(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if cs.Count(Pruned) != 1 || len(cs.Warnings) != 1 || !strings.Contains(cs.Warnings[0], `was "old" and is "new" now: what runs in the old one is removed; its volumes stay there`) {
		t.Errorf("the changes are %+v, the warnings %q", cs.Changed(), cs.Warnings)
	}
	if err := d.Apply(t.Context(), r, cs, event.Discard); err != nil {
		t.Fatal(err)
	}
	if !s.removed("/apis/apps/v1/namespaces/old/deployments/web") || len(s.deleted) != 1 {
		t.Errorf("removed is %v", s.deleted)
	}
	left := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(s.documents["/api/v1/namespaces/old/secrets/zr-x"]), left); err != nil {
		t.Fatal(err)
	}
	if p := state.ReadParent(left); p.Runs() || len(p.Kinds) != 1 {
		t.Errorf("the parent before has %v", p.Kinds)
	}
}

// TestAnOverlayWithAnotherNamespaceElsewhere leaves it to the user, where the
// cluster may hold an environment of the same name that is somebody else's.
func TestAnOverlayWithAnotherNamespaceElsewhere(t *testing.T) {
	s, r := move(t)
	delete(s.documents, "/apis/rbac.authorization.k8s.io/v1/clusterroles/reader")
	delete(s.documents, "/apis/rbac.authorization.k8s.io/v1/clusterroles")
	cs, err := s.deployer(t, "zr-x", "new").Diff(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	command := "kubectl -n old delete deployments.apps -l " + manifest.PartOfLabel + "=" + manifest.SetID("zr-x", "old") + " && kubectl -n old delete secret zr-x"
	if cs.Count(Pruned) != 0 || len(cs.Warnings) != 1 || !strings.Contains(cs.Warnings[0], command) {
		t.Errorf("the changes are %+v, the warnings %q", cs.Changed(), cs.Warnings)
	}
}

// TestDownInTwoNamespaces finds the set there and in another one.
func TestDownInTwoNamespaces(t *testing.T) {
	for _, own := range []bool{true, false} {
		s, _ := move(t)
		other := strings.ReplaceAll(s.documents["/api/v1/namespaces/old/secrets/zr-x"], manifest.SetID("zr-x", "old"), manifest.SetID("zr-x", "new"))
		other = strings.ReplaceAll(other, `"namespace":"old"`, `"namespace":"new"`)
		s.documents["/api/v1/secrets"] = list(s.documents["/api/v1/namespaces/old/secrets/zr-x"], other)
		d := s.deployer(t, "zr-x", "")
		d.Own = own
		err := d.Remove(t.Context(), event.Discard, false)
		if own && (err != nil || !s.removed("/apis/apps/v1/namespaces/old/deployments/web")) {
			t.Errorf("removed is %v, %v", s.deleted, err)
		}
		if !own && (err == nil || !strings.Contains(err.Error(), "more than one namespace: new, old") || !strings.Contains(fault.HintOf(err), "kubectl -n old delete deployments.apps") || len(s.deleted) > 0) {
			t.Errorf("removed is %v, %v", s.deleted, err)
		}
	}
}
