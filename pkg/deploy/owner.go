package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/state"
	"zr/pkg/fault"
	"zr/pkg/podconfig"
)

// checkOwner refuses a live object that is not a member of the set. One that
// was applied before, and has merely lost its label since, is a member.
func (d *Deployer) checkOwner(live *unstructured.Unstructured, id string, applied bool) error {
	if live == nil || live.GetLabels()[manifest.PartOfLabel] == id || madeByCluster(live) {
		return nil
	}
	if live.GetLabels()[manifest.PartOfLabel] == "" && applied && state.Owned(live) != nil {
		return nil
	}
	label := []string{"label", "--overwrite", strings.ToLower(live.GetKind()), live.GetName(), manifest.PartOfLabel + "=" + id}
	if ns := live.GetNamespace(); ns != "" {
		label = append(label, "-n", ns)
	}
	return fault.Hint(fmt.Errorf("%s exists and belongs to %s", manifest.Name(live), ownerOf(live)),
		"rename it in the overlay, delete it, or hand it over: "+d.Lines.Kubectl(label...))
}

// madeByCluster says whether the cluster itself puts the object into every
// namespace, for everybody to fill in.
func madeByCluster(live *unstructured.Unstructured) bool {
	return live.GetKind() == "ServiceAccount" && live.GetName() == "default"
}

// ownerOf names whoever made an object, from the surest sign to the faintest.
func ownerOf(live *unstructured.Unstructured) string {
	labels, annotations := live.GetLabels(), live.GetAnnotations()
	if release := annotations["meta.helm.sh/release-name"]; release != "" {
		return fmt.Sprintf("Helm release %q", release)
	}
	if set := labels[manifest.PartOfLabel]; set != "" {
		return fmt.Sprintf("another ApplySet, %s", set)
	}
	for _, controller := range live.GetOwnerReferences() {
		if controller.Controller != nil && *controller.Controller {
			return fmt.Sprintf("%s %q", controller.Kind, controller.Name)
		}
	}
	for label, tool := range map[string]string{
		"kustomize.toolkit.fluxcd.io/name": "Flux Kustomization",
		"argocd.argoproj.io/instance":      "Argo CD application",
	} {
		if instance := labels[label]; instance != "" {
			return fmt.Sprintf("%s %q", tool, instance)
		}
	}
	if manager := labels[manifest.ManagedByLabel]; manager != "" {
		return fmt.Sprintf("%q", manager)
	}
	var managers []string
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource == "" && !slices.Contains(managers, fmt.Sprintf("%q", entry.Manager)) {
			managers = append(managers, fmt.Sprintf("%q", entry.Manager))
		}
	}
	if len(managers) > 0 {
		return "whoever used " + strings.Join(managers, " and ")
	}
	return "somebody else"
}

// conflict is a field that another manager owns.
type conflict struct {
	field   string
	manager string
	applied bool // the manager has applied the field, and not merely changed it
}

// conflictsOf returns the fields over which the server refused an apply.
func conflictsOf(err error) []conflict {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var out []conflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		// conflict with "kubectl-edit" using apps/v1, where it was no apply
		_, rest, _ := strings.Cut(cause.Message, `"`)
		manager, rest, _ := strings.Cut(rest, `"`)
		out = append(out, conflict{cause.Field, manager, !strings.Contains(rest, " using ")})
	}
	return out
}

// foreign returns the conflicts over fields that are somebody else's: that zr
// did not apply before, or that another manager has applied since. Who applies
// by force what was zr's means to have it; what was merely changed by hand is
// drift.
func foreign(conflicts []conflict, was state.Record, live *unstructured.Unstructured) []conflict {
	ours := map[string]bool{}
	for _, fields := range [][]byte{was.Fields, state.Owned(live)} {
		if set, err := state.FieldSet(fields); len(fields) > 0 && err == nil {
			for path := range set.Leaves().All() {
				ours[path.String()] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(conflicts), func(c conflict) bool { return !c.applied && within(c.field, ours) })
}

// within says whether a field, or one above or below it, is among fields.
func within(field string, fields map[string]bool) bool {
	for f := range fields {
		if f == field || below(f, field) || below(field, f) {
			return true
		}
	}
	return false
}

func below(path, ancestor string) bool {
	rest, ok := strings.CutPrefix(path, ancestor)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// Drift is a field of what was applied that somebody has changed since, and that an apply
// takes back.
type Drift struct {
	Path    string `json:"path"`
	Manager string `json:"manager"` // the field manager that changed it
	// Time is when it changed the object last; zero where the server does not know.
	Time time.Time `json:"time,omitzero"`
}

// drifted returns what an apply takes back of a live object, and says so.
func drifted(ctx context.Context, conflicts []conflict, live *unstructured.Unstructured) (drifts []Drift) {
	for _, c := range conflicts {
		if strings.HasSuffix(c.field, podconfig.SettingsHashAnnotation) {
			continue // it follows from the settings, of which more is said
		}
		d := Drift{Path: c.field, Manager: c.manager, Time: wrote(live, c.manager)}
		drifts = append(drifts, d)
		if a, ok := ctx.Value(warningsKey{}).(about); ok {
			a.warnings.add(fmt.Sprintf("%s: %s, and is taken back", a.object, d))
		}
	}
	return drifts
}

// String says who has changed what, and when.
func (d Drift) String() string {
	text := fmt.Sprintf("%s was changed by %q", d.Path, d.Manager)
	if !d.Time.IsZero() {
		text += " at " + d.Time.UTC().Format(time.RFC3339)
	}
	return text
}

// wrote returns when a manager changed fields of an object last.
func wrote(live *unstructured.Unstructured, manager string) (last time.Time) {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == manager && entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}

// conflictFault names who owns what.
func conflictFault(m *unstructured.Unstructured, conflicts []conflict) error {
	var parts, managers []string
	for _, c := range conflicts {
		parts = append(parts, fmt.Sprintf("%s belongs to %q", c.field, c.manager))
		if !slices.Contains(managers, c.manager) {
			managers = append(managers, c.manager)
		}
	}
	return fault.Hint(fmt.Errorf("%s: %s", manifest.Name(m), strings.Join(parts, ", ")),
		fmt.Sprintf("leave the field out of the manifest, or have %s give it up", strings.Join(managers, " and ")))
}
