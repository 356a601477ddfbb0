package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
)

// Action is what an apply does with an object.
type Action string

// The actions of an apply.
const (
	Created    Action = "created"
	Configured Action = "configured" // some of its fields change
	Replaced   Action = "replaced"   // deleted and made again, since a field that changes cannot
	Unchanged  Action = "unchanged"
	Pruned     Action = "pruned"  // no longer rendered
	Refused    Action = "refused" // the error says why
)

// Change is what happens to one object.
type Change struct {
	Action    Action `json:"action"`
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Fields are what changes, in the order of their paths.
	Fields []FieldChange `json:"fields,omitempty"`
	// Added is what others have added to the object, and what stays.
	Added []Addition `json:"added,omitempty"`
	// Drifted is what others have changed of what was applied, and what is taken back.
	Drifted []Drift `json:"drifted,omitempty"`
}

// FieldChange is one field that changes. Values of Secrets are masked.
type FieldChange struct {
	// Path is the field's place, for example
	// .spec.template.spec.containers[name=api].image.
	Path string `json:"path"`
	// Old and New are the values before and after, nil where there is none.
	Old any `json:"old,omitempty"`
	New any `json:"new,omitempty"`
}

// ChangeSet is what has to happen to make the cluster say what is rendered.
type ChangeSet struct {
	Set       string   `json:"set"`
	Namespace string   `json:"namespace"`
	Changes   []Change `json:"changes"` // in the order of an apply, unchanged ones included
	// Warnings are what the server remarked, for example that a pod will be
	// rejected by its namespace's pod security.
	Warnings []string `json:"warnings,omitempty"`
	// Stopped are the workloads that somebody has stopped, and that stay so, by name.
	Stopped []string `json:"stopped,omitempty"`
	// Diverged are settings and secrets that were changed in the cluster, and that an
	// apply puts back to what the project's files say.
	Diverged []Divergence `json:"diverged,omitempty"`

	items  []*item // of Changes, but for those to prune
	pruned []member
	moved  []moved
	before *state.Parent // nil where the set is new
	after  *state.Parent
}

// item is one rendered object and what is known of it.
type item struct {
	object *render.Object
	live   *unstructured.Unstructured // nil where there is none
	action Action
	fields []FieldChange
	record state.Record // of an object that needs no write
	write  bool         // a request is needed, be it only to own a field
	force  bool         // fields that were ours are taken back
	// drifted are the fields that are taken back.
	drifted []Drift
	// yielded says that another object of this apply gives up the port of the
	// node that this one asks for.
	yielded bool
	// overwrite is what to replace the live object by, before it is applied.
	overwrite *unstructured.Unstructured
	// reclaim says that others have written what only zr does, and divergence what
	// differs by that.
	reclaim    bool
	divergence *Divergence
}

// member is an object of the cluster that is in the set.
type member struct {
	kind manifest.Kind
	live *unstructured.Unstructured
}

// Empty says that the cluster says all that is rendered, and nothing has to be
// written.
func (cs *ChangeSet) Empty() bool {
	if len(cs.pruned) > 0 || cs.before == nil || !cs.before.Equal(cs.after) {
		return false
	}
	for _, i := range cs.items {
		if i.write {
			return false
		}
	}
	return true
}

// Count returns how many objects an action is for.
func (cs *ChangeSet) Count(action Action) int {
	n := 0
	for _, c := range cs.Changes {
		if c.Action == action {
			n++
		}
	}
	return n
}

// Changed returns the changes that are not Unchanged.
func (cs *ChangeSet) Changed() []Change {
	var out []Change
	for _, c := range cs.Changes {
		if c.Action != Unchanged {
			out = append(out, c)
		}
	}
	return out
}

// close fills what is reported from what was found.
func (cs *ChangeSet) close(secrets []string) {
	for _, i := range cs.items {
		c := change(i.action, i.object.Kind.GroupKind(), i.object.Unstructured)
		if i.divergence != nil {
			cs.Diverged = append(cs.Diverged, *i.divergence)
		}
		if c.Fields = i.fields; i.overwrite == nil && !i.reclaim && i.action != Replaced {
			c.Added = additions(i.live, secrets)
		}
		c.Drifted = i.drifted
		cs.Changes = append(cs.Changes, c)
	}
	for _, m := range cs.pruned {
		cs.Changes = append(cs.Changes, change(Pruned, m.kind.GroupKind(), m.live))
	}
}

func change(action Action, gk schema.GroupKind, m *unstructured.Unstructured) Change {
	return Change{Action: action, Group: gk.Group, Kind: gk.Kind, Namespace: m.GetNamespace(), Name: m.GetName()}
}
