package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A namespace that was there before, be it that somebody made it by hand or
// that an administrator gives one out, is used and stays somebody else's: it
// does not become a member of the set, and no purge deletes it.

// lent says whether a live object is such a namespace.
func lent(o *object, live *unstructured.Unstructured, was record) bool {
	return o.kind == namespaceKind && live != nil && live.GetDeletionTimestamp() == nil && live.GetLabels()[partOfLabel] == "" && (was.Lent || was.Manifest == "")
}

// guest returns an object without what makes it a member of the set.
func (o *object) guest() *object {
	out := *o
	out.Unstructured = o.DeepCopy()
	labels := out.GetLabels()
	delete(labels, partOfLabel)
	delete(labels, managedByLabel)
	if len(labels) == 0 {
		labels = nil
	}
	out.SetLabels(labels)
	return &out
}

// bare says whether an object says nothing but its name: then it need not be
// written, which takes a right that not everybody has who may use a namespace.
func (o *object) bare() bool {
	metadata := at(o.Object, "metadata")
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
