package render_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/render"
	"zr/pkg/deploy/render/rendertest"
)

const moreServicesYAML = `
---
apiVersion: v1
kind: Service
metadata: {name: db-pods}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: db}, ports: [{name: sql, port: 5432}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: mail}
spec: {type: ExternalName, externalName: mail.test}
`

func TestTheServicesOfTheManifests(t *testing.T) {
	p := rendertest.New(t)
	p.Write("db.yaml", rendertest.DatabaseYAML+moreServicesYAML)
	r := p.Render()
	r.AddNodePorts([]render.ExtraPort{{Service: "db", Port: 5432}})
	var got []string
	for _, s := range r.Services() {
		text := s.Name + " " + s.Type
		for _, w := range r.Workloads() {
			if s.LeadsTo(w) {
				text += " of " + w.Name
				for _, port := range s.Ports {
					text += fmt.Sprintf(" %d→%d", port.Port, port.Target(w))
				}
			}
		}
		got = append(got, text)
	}
	want := []string{"db ClusterIP of db 5432→5432", "db-pods ClusterIP of db 5432→5432", "mail ExternalName", "web NodePort of web 80→8080"}
	if !slices.Equal(got, want) {
		t.Errorf("the manifests have %q, want %q", got, want)
	}
}

// added returns what AddNodePorts added, by name: "selector type ports".
func added(t *testing.T, r *render.Rendered) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, o := range r.Objects {
		if o.GetLabels()[render.NodePortOfLabel] == "" {
			continue
		}
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "type")
		selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
		ports, _, _ := unstructured.NestedSlice(o.Object, "spec", "ports")
		out[o.GetName()] = fmt.Sprint(selector, " ", kind, " ", ports)
	}
	return out
}

func TestANodePortIsAddedBesideAServiceOfAnyType(t *testing.T) {
	p := rendertest.New(t)
	p.Write("db.yaml", rendertest.DatabaseYAML+moreServicesYAML)
	r := p.Render()
	before := len(r.Objects)
	for range 2 { // a second time replaces the first
		r.AddNodePorts([]render.ExtraPort{{Service: "web", Port: 80, NodePort: 30080}, {Service: "db-pods", Port: 5432}, {Service: "db-pods", Port: 53}, {Service: "gone", Port: 1}})
	}
	want := map[string]string{
		"web-zr-node-port":     "map[app:web] NodePort [map[nodePort:30080 port:80 protocol:TCP targetPort:http]]",
		"db-pods-zr-node-port": "map[app:db] NodePort [map[name:sql port:5432 protocol:TCP]]",
	}
	if got := added(t, r); !maps.Equal(got, want) {
		t.Errorf("added: %v, want %v", got, want)
	}
	r.AddNodePorts(nil)
	if n := len(r.Objects); n != before {
		t.Errorf("%d objects are left of %d", n, before)
	}
}

func TestTheNameOfAnAddedServiceIsNeverTooLong(t *testing.T) {
	p := rendertest.New(t)
	long := strings.Repeat("x", 62)
	p.Write("db.yaml", rendertest.DatabaseYAML+"---\napiVersion: v1\nkind: Service\nmetadata: {name: "+long+"a}\nspec: {selector: {app: db}, ports: [{port: 1}]}\n"+
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: "+long+"b}\nspec: {selector: {app: db}, ports: [{port: 1}]}\n")
	r := p.Render()
	r.AddNodePorts([]render.ExtraPort{{Service: long + "a", Port: 1}, {Service: long + "b", Port: 1}})
	got := slices.Collect(maps.Keys(added(t, r)))
	if len(got) != 2 || len(got[0]) > 63 || len(got[1]) > 63 {
		t.Errorf("added: %q", got)
	}
}
