package deploy

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/state"
)

// Addition is something that somebody else has added to an object, beside what
// is applied: an entry of a ConfigMap, a variable of a container. An apply
// leaves it.
type Addition struct {
	Path string `json:"path"`
	// Value is masked as that of a FieldChange.
	Value   any    `json:"value"`
	Manager string `json:"manager"` // the field manager that owns it
	// Time is when that changed the object last; zero where the server does not know.
	Time time.Time `json:"time,omitzero"`
}

// By says who has added it, and when.
func (a Addition) By() string {
	if a.Time.IsZero() {
		return a.Manager
	}
	return a.Manager + " at " + a.Time.UTC().Format(time.RFC3339)
}

// controllers are managers of Kubernetes' own, which fill in what nobody wrote.
var controllers = []string{"kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver"}

// additions returns what others have added to the content of a live object,
// sorted by path. Metadata is for everybody to write to.
func additions(live *unstructured.Unstructured, secrets []string) []Addition {
	if live == nil || state.Owned(live) == nil {
		return nil
	}
	var mine map[string]bool // the fields of zr's and all above them
	var out []Addition
	c := &comparison{secrets: secrets, hide: live.GetKind() == "Secret" && live.GroupVersionKind().Group == ""}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == manifest.FieldManager || entry.Subresource != "" || entry.FieldsV1 == nil || slices.Contains(controllers, entry.Manager) {
			continue
		}
		theirs, err := state.FieldSet(entry.FieldsV1.GetRawBytes())
		if err != nil {
			continue
		}
		if mine == nil {
			mine = withAncestors(state.Owned(live))
		}
		for path := range theirs.Leaves().All() {
			top := firstNotIn(path, mine)
			if top == nil || !isContent(top) {
				continue
			}
			text := top.String()
			v, there := state.Lookup(live.Object, top)
			if there && !slices.ContainsFunc(out, func(a Addition) bool { return a.Path == text }) {
				out = append(out, Addition{Path: text, Value: c.mask(text, v), Manager: entry.Manager, Time: wrote(live, entry.Manager)})
			}
		}
	}
	slices.SortFunc(out, func(a, b Addition) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// isContent says whether a path is in what an object is about.
func isContent(path fieldpath.Path) bool {
	return path[0].FieldName != nil && slices.Contains([]string{"spec", "data", "binaryData", "rules", "subjects"}, *path[0].FieldName)
}

// withAncestors returns the paths of a set of fields and of all that they are in.
func withAncestors(fields []byte) map[string]bool {
	out := map[string]bool{}
	set, err := state.FieldSet(fields)
	if err != nil {
		return out
	}
	for path := range set.All() {
		for n := 1; n <= len(path); n++ {
			out[path[:n].String()] = true
		}
	}
	return out
}

// firstNotIn returns the shortest beginning of a path that is not among known
// ones, or nil.
func firstNotIn(path fieldpath.Path, known map[string]bool) fieldpath.Path {
	for n := 1; n <= len(path); n++ {
		if !known[path[:n].String()] {
			return path[:n]
		}
	}
	return nil
}
