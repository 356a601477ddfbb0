package deploy_test

import (
	"maps"
	"strconv"
	"testing"

	"k8s.io/client-go/rest"

	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/deploy/render/rendertest"
	"zr/pkg/event"
)

// run is a project on a cluster.
type run struct {
	*rendertest.Project
	cfg   *rest.Config
	admin *admin
}

func newRun(t *testing.T) *run {
	cfg := kubetest.Config(t)
	p := rendertest.New(t)
	a := &admin{t, cfg}
	a.removeNamespace(p.Namespace)
	return &run{p, cfg, a}
}

func (r *run) deployer() *deploy.Deployer {
	r.T.Helper()
	d, err := deploy.New(kubetest.Connect(r.T, r.cfg), r.Options.Set, r.Namespace)
	if err != nil {
		r.T.Fatal(err)
	}
	return d
}

func (r *run) diff() *deploy.ChangeSet {
	r.T.Helper()
	cs, err := r.deployer().Diff(r.T.Context(), r.Render())
	if err != nil {
		r.T.Fatal(err)
	}
	return cs
}

// diffError returns what Diff refuses with.
func (r *run) diffError() error {
	r.T.Helper()
	_, err := r.deployer().Diff(r.T.Context(), r.Render())
	if err == nil {
		r.T.Fatal("nothing was refused")
	}
	return err
}

// up renders, compares and applies, and returns what was done.
func (r *run) up() *deploy.ChangeSet {
	r.T.Helper()
	rendered := r.Render()
	d := r.deployer()
	cs, err := d.Diff(r.T.Context(), rendered)
	if err != nil {
		r.T.Fatal(err)
	}
	if err := d.Apply(r.T.Context(), rendered, cs, event.Discard); err != nil {
		r.T.Fatal(err)
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
