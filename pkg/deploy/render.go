package deploy

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"zr/pkg/deploy/overlay"
	"zr/pkg/fault"
	kubeobject "zr/pkg/kube/object"
)

// Rendered is everything that an environment consists of, ready to be
// applied. It is not safe for concurrent use while Pin runs.
type Rendered struct {
	// Namespace is where the workloads are.
	Namespace string
	// Set is the name of the ApplySet.
	Set string

	id      string
	objects []*object
	known   map[string]bool // images of Options.Images
	dev     []string        // services of Options.Dev
	files   []string
	secrets []string // values that may not be shown
}

// object is one rendered object and what is known about its kind.
type object struct {
	*unstructured.Unstructured
	kind   kind
	images []string     // of its containers, as the manifest names them
	scaled bool         // an autoscaler sets its number of replicas
	inDev  devContainer // its container that runs a dev image, if one does
}

// place drops the namespace of an object that is in none: kustomize gives one
// to every kind that it does not know.
func (o *object) place() {
	if o.kind.resource != "" && !o.kind.namespaced {
		o.SetNamespace("")
	}
}

// Render builds the overlay and fills in settings, secrets, images and dev
// mode. It needs no cluster. Every fault of the manifests that can be seen
// without one is reported, all at once, with exit code fault.Usage.
func Render(ctx context.Context, o Options) (*Rendered, error) {
	r, err := render(ctx, o)
	if err != nil {
		return nil, fault.WithCode(fmt.Errorf("rendering overlay %q: %w", o.Overlay, err), fault.Usage, fault.HintOf(err))
	}
	return r, nil
}

func render(ctx context.Context, o Options) (*Rendered, error) {
	manifests, files, err := build(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := validate(manifests, files); err != nil {
		return nil, err
	}
	r := &Rendered{Set: o.Set, files: files, known: map[string]bool{}}
	if r.Namespace, err = namespaceOf(manifests); err != nil {
		return nil, err
	}
	if o.Access != nil {
		added, err := o.Access.manifests(r.Namespace)
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, added...)
	}
	if manifests, err = addConfig(manifests, r.Namespace, o); err != nil {
		return nil, err
	}
	manifests, inDev, err := devMode(manifests, o.Dev)
	if err != nil {
		return nil, err
	}
	r.dev = slices.Collect(maps.Keys(o.Dev))
	if err := stampConfig(manifests, files); err != nil {
		return nil, err
	}
	r.id = setID(r.Set, r.Namespace)
	for _, m := range manifests {
		unstructured.RemoveNestedField(m.Object, "status")
		unstructured.RemoveNestedField(m.Object, "metadata", "creationTimestamp")
		scaled := leaveReplicas(m, manifests)
		if o.Loaded {
			pullNothing(podTemplate(m), o.Images)
		}
		mark(m, r.id)
		noteNeeds(m, o.Needs[m.GetName()])
		o := &object{m, kindOf(m.GroupVersionKind(), manifests), imagesOf(podTemplate(m)), scaled, inDev[m]}
		o.place()
		r.objects = append(r.objects, o)
	}
	slices.SortStableFunc(r.objects, func(a, b *object) int { return int(a.kind.stage) - int(b.kind.stage) })
	r.secrets = slices.Collect(maps.Values(o.Secrets))
	for _, dev := range o.Dev {
		r.secrets = slices.AppendSeq(r.secrets, maps.Values(dev.Secrets))
	}
	// Where one value is part of another, the whole one is hidden.
	slices.SortFunc(r.secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	r.Pin(o.Images, nil)
	return r, nil
}

// Files returns the absolute paths of the files that the overlay was made
// from, sorted. A change of one of them may change what is rendered.
func (r *Rendered) Files() []string { return slices.Clone(r.files) }

// build runs kustomize on the overlay and returns its objects and the files
// that it read.
func build(ctx context.Context, o Options) ([]*unstructured.Unstructured, []string, error) {
	made, files, err := overlay.Build(ctx, o.Overlay, o.Fetch)
	if err != nil {
		return nil, nil, err
	}
	var out []*unstructured.Unstructured
	for _, resource := range made {
		object, err := normalise(resource.Object)
		if err != nil {
			return nil, nil, fmt.Errorf("reading %s %q: %w", resource.Kind, resource.Name, err)
		}
		out = append(out, object)
	}
	return out, files, nil
}

const addNamespace = "add `namespace:` to the overlay's kustomization.yaml"

// namespaceOf returns the one namespace that the workloads are in.
func namespaceOf(manifests []*unstructured.Unstructured) (string, error) {
	var all, withPods []string
	for _, m := range manifests {
		kind := kindOf(m.GroupVersionKind(), manifests)
		if kind.namespaced && m.GetNamespace() == "" {
			return "", fault.Hint(fmt.Errorf("%s has no namespace", name(m)), addNamespace)
		}
		if !kind.namespaced {
			continue
		}
		all = append(all, m.GetNamespace())
		if podTemplate(m) != nil {
			withPods = append(withPods, m.GetNamespace())
		}
	}
	candidates := withPods
	if len(candidates) == 0 {
		candidates = all
	}
	slices.Sort(candidates)
	switch candidates = slices.Compact(candidates); len(candidates) {
	case 0:
		return "", fault.Hint(fmt.Errorf("nothing is rendered"), "list manifests under `resources:` in the overlay's kustomization.yaml")
	case 1:
		return candidates[0], nil
	}
	return "", fault.Hint(fmt.Errorf("workloads in more than one namespace: %s", strings.Join(candidates, ", ")),
		"give each namespace an overlay of its own")
}

// mark makes an object a member of the set.
func mark(m *unstructured.Unstructured, id string) {
	labels := m.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[partOfLabel], labels[managedByLabel] = id, FieldManager
	m.SetLabels(labels)
	// The claims of a StatefulSet are made by a controller, from here.
	claims, _, _ := unstructured.NestedSlice(m.Object, "spec", "volumeClaimTemplates")
	for _, c := range claims {
		if claim, ok := c.(map[string]any); ok {
			_ = unstructured.SetNestedField(claim, id, "metadata", "labels", partOfLabel)
		}
	}
	if len(claims) > 0 {
		_ = unstructured.SetNestedSlice(m.Object, claims, "spec", "volumeClaimTemplates")
	}
}

// noteNeeds writes down which services a workload needs. It is an annotation of the
// workload and not of its pods, which it does not roll.
func noteNeeds(m *unstructured.Unstructured, needs []string) {
	if podTemplate(m) == nil || len(needs) == 0 {
		return
	}
	annotations := m.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[DependsOnAnnotation] = strings.Join(needs, ",")
	m.SetAnnotations(annotations)
}

// leaveReplicas drops the number of replicas of a workload that an autoscaler
// sets, so that an apply does not take it back, and says whether there is one.
func leaveReplicas(m *unstructured.Unstructured, manifests []*unstructured.Unstructured) bool {
	if podTemplate(m) == nil {
		return false
	}
	scaled := slices.ContainsFunc(manifests, func(scaler *unstructured.Unstructured) bool { return scales(scaler, m) })
	if scaled {
		unstructured.RemoveNestedField(m.Object, "spec", "replicas")
	}
	return scaled
}

// keepReplicas returns the workload with the number of replicas that it has,
// as long as zr owns the field: to give it up while nobody else does would set
// it to one. It passes to the autoscaler when that changes it.
func keepReplicas(o *object, live *unstructured.Unstructured) *object {
	if !o.scaled || owned(live) == nil {
		return o
	}
	n, set, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
	ours, err := fieldSet(owned(live))
	if !set || err != nil || !ours.Has(fieldpath.MakePathOrDie("spec", "replicas")) {
		return o
	}
	kept := *o
	kept.Unstructured = o.DeepCopy()
	need(kept.Object, "spec")["replicas"] = n
	return &kept
}

// stopped says whether somebody has stopped a workload.
func stopped(live *unstructured.Unstructured) bool {
	if live == nil || live.GetDeletionTimestamp() != nil {
		return false
	}
	n, set, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
	return set && n == 0 && kubeobject.Stopped(live.GetAnnotations(), 0) != ""
}

// keepStopped returns the workload without replicas where somebody has stopped it:
// it stays so until it is started.
func keepStopped(o *object, live *unstructured.Unstructured) *object {
	if !stopped(live) {
		return o
	}
	kept := *o
	kept.Unstructured = o.DeepCopy()
	need(kept.Object, "spec")["replicas"] = int64(0)
	return &kept
}

// scales says whether m is a HorizontalPodAutoscaler of the workload.
func scales(m, workload *unstructured.Unstructured) bool {
	if m.GetKind() != "HorizontalPodAutoscaler" || m.GetNamespace() != workload.GetNamespace() {
		return false
	}
	kind, _, _ := unstructured.NestedString(m.Object, "spec", "scaleTargetRef", "kind")
	target, _, _ := unstructured.NestedString(m.Object, "spec", "scaleTargetRef", "name")
	return kind == workload.GetKind() && target == workload.GetName()
}

// name is how messages call an object.
func name(m *unstructured.Unstructured) string { return fmt.Sprintf("%s %q", m.GetKind(), m.GetName()) }
