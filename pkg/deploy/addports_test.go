package deploy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy"
	"zr/pkg/event"
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
	p := newProject(t)
	p.write("db.yaml", dbYAML+moreServicesYAML)
	r := p.render()
	r.AddNodePorts([]deploy.ExtraPort{{Service: "db", Port: 5432}})
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
func added(t *testing.T, r *deploy.Rendered) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, o := range r.Objects() {
		if o.GetLabels()[deploy.NodePortOfLabel] == "" {
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
	p := newProject(t)
	p.write("db.yaml", dbYAML+moreServicesYAML)
	r := p.render()
	before := len(r.Objects())
	for range 2 { // a second time replaces the first
		r.AddNodePorts([]deploy.ExtraPort{{Service: "web", Port: 80, NodePort: 30080}, {Service: "db-pods", Port: 5432}, {Service: "db-pods", Port: 53}, {Service: "gone", Port: 1}})
	}
	want := map[string]string{
		"web-zr-node-port":     "map[app:web] NodePort [map[nodePort:30080 port:80 protocol:TCP targetPort:http]]",
		"db-pods-zr-node-port": "map[app:db] NodePort [map[name:sql port:5432 protocol:TCP]]",
	}
	if got := added(t, r); !maps.Equal(got, want) {
		t.Errorf("added: %v, want %v", got, want)
	}
	r.AddNodePorts(nil)
	if n := len(r.Objects()); n != before {
		t.Errorf("%d objects are left of %d", n, before)
	}
}

func TestTheNameOfAnAddedServiceIsNeverTooLong(t *testing.T) {
	p := newProject(t)
	long := strings.Repeat("x", 62)
	p.write("db.yaml", dbYAML+"---\napiVersion: v1\nkind: Service\nmetadata: {name: "+long+"a}\nspec: {selector: {app: db}, ports: [{port: 1}]}\n"+
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: "+long+"b}\nspec: {selector: {app: db}, ports: [{port: 1}]}\n")
	r := p.render()
	r.AddNodePorts([]deploy.ExtraPort{{Service: long + "a", Port: 1}, {Service: long + "b", Port: 1}})
	got := slices.Collect(maps.Keys(added(t, r)))
	if len(got) != 2 || len(got[0]) > 63 || len(got[1]) > 63 {
		t.Errorf("added: %q", got)
	}
}

// applyWith renders, adds and applies.
func (r *run) applyWith(extra ...deploy.ExtraPort) {
	r.t.Helper()
	rendered, d := r.render(), r.deployer()
	rendered.AddNodePorts(extra)
	cs, err := d.Diff(r.t.Context(), rendered)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := d.Apply(r.t.Context(), rendered, cs, event.Discard); err != nil {
		r.t.Fatal(err)
	}
	if cs, err = d.Diff(r.t.Context(), rendered); err != nil || !cs.Empty() {
		r.t.Errorf("after the apply: %v, %v", err, actions(cs))
	}
}

// heldPorts returns the ports of the nodes of this project's Services: "web 30070", with
// a + where the Service was added.
func (r *run) heldPorts() []string {
	r.t.Helper()
	held, err := r.deployer().HeldPorts(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, h := range held {
		if !h.Own {
			continue
		}
		text := fmt.Sprintf("%s %d", h.Service, h.NodePort)
		if h.Added {
			text += "+"
		}
		out = append(out, text)
		if env, err := r.deployer().OwnerOf(r.t.Context(), h); err != nil || env != r.options.Set {
			r.t.Errorf("%s belongs to %q, %v", text, env, err)
		}
	}
	slices.Sort(out)
	return out
}

// A port of the node moves from one Service of a set to another in one apply, in
// both directions.
func TestANodePortMovesWithinASet(t *testing.T) {
	r := newRun(t)
	r.options.Set = "zr-" + r.namespace // no other test's, in any namespace
	r.edit("web.yaml", "{port: 80, targetPort: http}", "{port: 80, targetPort: http, nodePort: 30070}")
	r.applyWith()
	if got := r.heldPorts(); !slices.Equal(got, []string{"web 30070"}) {
		t.Errorf("at first %v", got)
	}
	r.edit("web.yaml", "nodePort: 30070", "nodePort: 30071")
	r.applyWith(deploy.ExtraPort{Service: "web", Port: 80, NodePort: 30070})
	if got := r.heldPorts(); !slices.Equal(got, []string{"web 30070+", "web 30071"}) {
		t.Errorf("with another nodePort %v", got)
	}
	r.edit("web.yaml", "nodePort: 30071", "nodePort: 30070")
	r.applyWith(deploy.ExtraPort{Service: "db", Port: 5432, NodePort: 30071})
	if got := r.heldPorts(); !slices.Equal(got, []string{"db 30071+", "web 30070"}) {
		t.Errorf("back again %v", got)
	}
}

// Services exchange their ports of the node, those of manifests and those that were
// added, and keep their addresses in the cluster.
func TestNodePortsAreExchanged(t *testing.T) {
	r := newRun(t)
	r.options.Set = "zr-" + r.namespace // no other test's, in any namespace
	r.edit("web.yaml", "{port: 80, targetPort: http}", "{port: 80, targetPort: http, nodePort: 30072}")
	r.edit("db.yaml", "  selector: {app: db}\n  ports: [{port: 5432}]", "  type: LoadBalancer\n  externalTrafficPolicy: Local\n  selector: {app: db}\n  ports: [{port: 5432, nodePort: 30073}]")
	r.applyWith(deploy.ExtraPort{Service: "web", Port: 80, NodePort: 30074}, deploy.ExtraPort{Service: "db", Port: 5432, NodePort: 30075})
	address := func() string {
		ip, _, _ := unstructured.NestedString(r.admin.get("services", r.namespace, "web").Object, "spec", "clusterIP")
		return ip
	}
	before := address()
	r.edit("web.yaml", "nodePort: 30072", "nodePort: 30073")
	r.edit("db.yaml", "nodePort: 30073", "nodePort: 30072")
	r.applyWith(deploy.ExtraPort{Service: "web", Port: 80, NodePort: 30075}, deploy.ExtraPort{Service: "db", Port: 5432, NodePort: 30074})
	if got := r.heldPorts(); !slices.Equal(got, []string{"db 30072", "db 30074+", "web 30073", "web 30075+"}) {
		t.Errorf("after an exchange %v", got)
	}
	if after := address(); after != before || after == "" {
		t.Errorf("the address in the cluster is %s, and was %s", after, before)
	}
}
