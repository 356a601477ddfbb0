package deploy_test

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/render"
	"zr/pkg/event"
)

// applyWith renders, adds and applies.
func (r *run) applyWith(extra ...render.ExtraPort) {
	r.T.Helper()
	rendered, d := r.Render(), r.deployer()
	rendered.AddNodePorts(extra)
	cs, err := d.Diff(r.T.Context(), rendered)
	if err != nil {
		r.T.Fatal(err)
	}
	if err := d.Apply(r.T.Context(), rendered, cs, event.Discard); err != nil {
		r.T.Fatal(err)
	}
	if cs, err = d.Diff(r.T.Context(), rendered); err != nil || !cs.Empty() {
		r.T.Errorf("after the apply: %v, %v", err, actions(cs))
	}
}

// heldPorts returns the ports of the nodes of this project's Services: "web 30070", with
// a + where the Service was added.
func (r *run) heldPorts() []string {
	r.T.Helper()
	held, err := r.deployer().HeldPorts(r.T.Context())
	if err != nil {
		r.T.Fatal(err)
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
		if env, err := r.deployer().OwnerOf(r.T.Context(), h); err != nil || env != r.Options.Set {
			r.T.Errorf("%s belongs to %q, %v", text, env, err)
		}
	}
	slices.Sort(out)
	return out
}

// A port of the node moves from one Service of a set to another in one apply, in
// both directions.
func TestANodePortMovesWithinASet(t *testing.T) {
	r := newRun(t)
	r.Options.Set = "zr-" + r.Namespace // no other test's, in any namespace
	r.Edit("web.yaml", "{port: 80, targetPort: http}", "{port: 80, targetPort: http, nodePort: 30070}")
	r.applyWith()
	if got := r.heldPorts(); !slices.Equal(got, []string{"web 30070"}) {
		t.Errorf("at first %v", got)
	}
	r.Edit("web.yaml", "nodePort: 30070", "nodePort: 30071")
	r.applyWith(render.ExtraPort{Service: "web", Port: 80, NodePort: 30070})
	if got := r.heldPorts(); !slices.Equal(got, []string{"web 30070+", "web 30071"}) {
		t.Errorf("with another nodePort %v", got)
	}
	r.Edit("web.yaml", "nodePort: 30071", "nodePort: 30070")
	r.applyWith(render.ExtraPort{Service: "db", Port: 5432, NodePort: 30071})
	if got := r.heldPorts(); !slices.Equal(got, []string{"db 30071+", "web 30070"}) {
		t.Errorf("back again %v", got)
	}
}

// Services exchange their ports of the node, those of manifests and those that were
// added, and keep their addresses in the cluster.
func TestNodePortsAreExchanged(t *testing.T) {
	r := newRun(t)
	r.Options.Set = "zr-" + r.Namespace // no other test's, in any namespace
	r.Edit("web.yaml", "{port: 80, targetPort: http}", "{port: 80, targetPort: http, nodePort: 30072}")
	r.Edit("db.yaml", "  selector: {app: db}\n  ports: [{port: 5432}]", "  type: LoadBalancer\n  externalTrafficPolicy: Local\n  selector: {app: db}\n  ports: [{port: 5432, nodePort: 30073}]")
	r.applyWith(render.ExtraPort{Service: "web", Port: 80, NodePort: 30074}, render.ExtraPort{Service: "db", Port: 5432, NodePort: 30075})
	address := func() string {
		ip, _, _ := unstructured.NestedString(r.admin.get("services", r.Namespace, "web").Object, "spec", "clusterIP")
		return ip
	}
	before := address()
	r.Edit("web.yaml", "nodePort: 30072", "nodePort: 30073")
	r.Edit("db.yaml", "nodePort: 30073", "nodePort: 30072")
	r.applyWith(render.ExtraPort{Service: "web", Port: 80, NodePort: 30075}, render.ExtraPort{Service: "db", Port: 5432, NodePort: 30074})
	if got := r.heldPorts(); !slices.Equal(got, []string{"db 30072", "db 30074+", "web 30073", "web 30075+"}) {
		t.Errorf("after an exchange %v", got)
	}
	if after := address(); after != before || after == "" {
		t.Errorf("the address in the cluster is %s, and was %s", after, before)
	}
}
