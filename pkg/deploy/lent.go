package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
)

// A namespace that was there before is used and stays somebody else's: somebody made it
// by hand, or an administrator gave it out. It does not become a member of the set, and
// no purge deletes it.

// lent says whether a live object is such a namespace.
func lent(o *render.Object, live *unstructured.Unstructured, was state.Record) bool {
	return o.Kind == manifest.NamespaceKind && live != nil && live.GetDeletionTimestamp() == nil && live.GetLabels()[manifest.PartOfLabel] == "" && (was.Lent || was.Manifest == "")
}

// guest returns an object without what makes it a member of the set.
func guest(o *render.Object) *render.Object {
	out := *o
	out.Unstructured = o.DeepCopy()
	labels := out.GetLabels()
	delete(labels, manifest.PartOfLabel)
	delete(labels, manifest.ManagedByLabel)
	if len(labels) == 0 {
		labels = nil
	}
	out.SetLabels(labels)
	return &out
}

// bare says whether an object says nothing but its name: then it need not be
// written, which takes a right that not everybody has who may use a namespace.
func bare(o *render.Object) bool {
	metadata := manifest.At(o.Object, "metadata")
	for field := range metadata {
		if field != "name" {
			return false
		}
	}
	for field := range o.Object {
		if field != "apiVersion" && field != "kind" && field != "metadata" {
			return false
		}
	}
	return true
}
