package render

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/overlay"
	"zr/pkg/fault"
)

// Rendered is everything that an environment consists of, ready to be
// applied. It is not safe for concurrent use while Pin runs.
type Rendered struct {
	// Namespace is where the workloads are.
	Namespace string
	// Set is the name of the ApplySet, and ID its ID.
	Set, ID string
	// Objects are in the order in which they are applied. The data of Secrets is in
	// clear: never print it.
	Objects []*Object
	// SecretsClass is the SecretProviderClass by which the Secret "secrets" is made, or "".
	SecretsClass string
	// Borrowed are the services that are those of another namespace.
	Borrowed Borrowed
	// Hidden are the values that may not be shown, the longest first: where one is
	// part of another, the whole one is hidden.
	Hidden []string

	known map[string]bool // images of Options.Images
	dev   []string        // services of Options.Dev
	files []string
}

// Object is one rendered object and what is known about its kind.
type Object struct {
	*unstructured.Unstructured
	Kind   manifest.Kind
	Images []string     // of its containers, as the manifest names them
	Scaled bool         // an autoscaler sets its number of replicas
	inDev  devContainer // its container that runs a dev image, if one does
}

// DropNamespace drops the namespace of an object that is in none: kustomize gives one
// to every kind that it does not know.
func (o *Object) DropNamespace() {
	if o.Kind.Resource != "" && !o.Kind.Namespaced {
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
	if len(o.Only) > 0 {
		r.Borrowed.Namespace = r.Namespace
		manifests = r.Borrowed.keepOnly(manifests, o.Only)
	}
	if o.Namespace != "" {
		if err := moveTo(manifests, r.Namespace, o.Namespace); err != nil {
			return nil, err
		}
		r.Namespace, manifests = o.Namespace, makeNamespace(manifests, o.Namespace)
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
	if o.Access != nil { // under zr dev, the agents are asked
		added, err := o.Access.policies(manifests)
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, added...)
	}
	r.dev = slices.Collect(maps.Keys(o.Dev))
	if err := stampConfig(manifests, files, r.Namespace, o); err != nil {
		return nil, err
	}
	if class := classOf(manifests, r.Namespace); class != nil {
		r.SecretsClass = class.name
	}
	r.ID = manifest.SetID(r.Set, r.Namespace)
	for _, m := range manifests {
		unstructured.RemoveNestedField(m.Object, "status")
		unstructured.RemoveNestedField(m.Object, "metadata", "creationTimestamp")
		scaled := leaveReplicas(m, manifests)
		if o.Loaded {
			pullNothing(manifest.PodTemplate(m), o.Images)
		}
		mark(m, r.ID)
		noteNeeds(m, o.Needs[m.GetName()])
		o := &Object{m, manifest.KindOf(m.GroupVersionKind(), manifests), imagesOf(manifest.PodTemplate(m)), scaled, inDev[m]}
		o.DropNamespace()
		r.Objects = append(r.Objects, o)
	}
	slices.SortStableFunc(r.Objects, func(a, b *Object) int { return int(a.Kind.Stage) - int(b.Kind.Stage) })
	r.Hidden = slices.Collect(maps.Values(o.Secrets))
	for _, dev := range o.Dev {
		r.Hidden = slices.AppendSeq(r.Hidden, maps.Values(dev.Secrets))
	}
	// Where one value is part of another, the whole one is hidden.
	slices.SortFunc(r.Hidden, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	r.Pin(o.Images, nil)
	return r, nil
}

// Files returns the absolute paths of the files that the overlay was made
// from, sorted. A change of one of them may change what is rendered.
func (r *Rendered) Files() []string { return slices.Clone(r.files) }

// MakesSecrets says whether the Secret "secrets" is among what is rendered.
func (r *Rendered) MakesSecrets() bool {
	return slices.ContainsFunc(r.Objects, func(o *Object) bool {
		return is(o.Unstructured, "Secret", SecretsName) && o.GetNamespace() == r.Namespace
	})
}

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

// AddNamespace is what to do about an object that is in no namespace and should be.
const AddNamespace = "add `namespace:` to the overlay's kustomization.yaml"

// namespaceOf returns the one namespace that the workloads are in.
func namespaceOf(manifests []*unstructured.Unstructured) (string, error) {
	var all, withPods []string
	for _, m := range manifests {
		kind := manifest.KindOf(m.GroupVersionKind(), manifests)
		if kind.Namespaced && m.GetNamespace() == "" {
			return "", fault.Hint(fmt.Errorf("%s has no namespace", manifest.Name(m)), AddNamespace)
		}
		if !kind.Namespaced {
			continue
		}
		all = append(all, m.GetNamespace())
		if manifest.PodTemplate(m) != nil {
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
	labels[manifest.PartOfLabel], labels[manifest.ManagedByLabel] = id, manifest.FieldManager
	m.SetLabels(labels)
	// The claims of a StatefulSet are made by a controller, from here.
	claims, _, _ := unstructured.NestedSlice(m.Object, "spec", "volumeClaimTemplates")
	for _, c := range claims {
		if claim, ok := c.(map[string]any); ok {
			_ = unstructured.SetNestedField(claim, id, "metadata", "labels", manifest.PartOfLabel)
		}
	}
	if len(claims) > 0 {
		_ = unstructured.SetNestedSlice(m.Object, claims, "spec", "volumeClaimTemplates")
	}
}

// noteNeeds writes down which services a workload needs. It is an annotation of the
// workload and not of its pods, which it does not roll.
func noteNeeds(m *unstructured.Unstructured, needs []string) {
	if manifest.PodTemplate(m) == nil || len(needs) == 0 {
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
	if manifest.PodTemplate(m) == nil {
		return false
	}
	scaled := slices.ContainsFunc(manifests, func(scaler *unstructured.Unstructured) bool { return scales(scaler, m) })
	if scaled {
		unstructured.RemoveNestedField(m.Object, "spec", "replicas")
	}
	return scaled
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

// Defines says whether the definition of a kind is among what is rendered.
func (r *Rendered) Defines(k manifest.Kind) bool {
	_, builtin := manifest.Known[k.GroupVersionKind]
	return !builtin && slices.ContainsFunc(r.Objects, func(o *Object) bool {
		return o.Kind == manifest.DefinitionKind && manifest.DefinedBy(o.Unstructured).GroupKind() == k.GroupKind()
	})
}
