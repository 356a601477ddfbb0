package deploy

import (
	"context"
	"encoding/json"
	"maps"
	"path"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"zr/pkg/deploy/manifest"
	"zr/pkg/podconfig"
)

// Settings and secrets are from files of the project, and the dashboard changes them
// in the cluster too, where it says so in podconfig.SourceAnnotation. An apply of the
// files would undo that: whoever applies is told, and has to say that he means it.

// Divergence is an object of settings or secrets that was changed in the cluster, and
// says something else than the project's file.
type Divergence struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Source is what changed it, in the words of the cluster, and File is where the
	// project has it.
	Source string `json:"source"`
	File   string `json:"file"`
	// Fields are the entries that differ: Old is what the cluster has, New what the
	// file says. Values of secrets are masked.
	Fields []FieldChange `json:"fields"`
}

// strayed says whether something else than zr has written the content of a live
// object of settings or secrets since it was applied. Another file of the same folder is
// no other source: secrets may have been sealed since, or unsealed.
func strayed(rendered, live *unstructured.Unstructured) bool {
	source := rendered.GetAnnotations()[podconfig.SourceAnnotation]
	if source == "" || live == nil {
		return false
	}
	changed := live.GetAnnotations()[podconfig.SourceAnnotation]
	return changed != "" && path.Dir(changed) != path.Dir(source)
}

// planReclaim asks the server what an apply makes of an object that has strayed: it
// has what is rendered and no more, also where others have added entries.
func (d *Deployer) planReclaim(ctx context.Context, i *item, hidden []string) error {
	i.reclaim, i.force, i.write, i.action = true, true, true, Configured
	want := i.live.DeepCopy()
	want.Object["data"] = manifest.At(i.object.DeepCopy().Object, "data")
	for _, field := range []string{"labels", "annotations"} {
		maps.Copy(manifest.Need(want.Object, "metadata", field), manifest.At(i.object.Object, "metadata", field))
	}
	want, err := d.update(ctx, i.object.Kind, want, true)
	if err != nil {
		return err
	}
	i.fields = compare(i.live, want, hidden)
	c := &comparison{secrets: hidden, hide: i.object.Kind == manifest.SecretKind}
	c.values(".data", manifest.Content(i.live), manifest.Content(want))
	if len(c.out) == 0 {
		return nil // it was taken over
	}
	i.divergence = &Divergence{
		Kind: i.object.GetKind(), Name: i.object.GetName(), Fields: c.out,
		Source: i.live.GetAnnotations()[podconfig.SourceAnnotation], File: i.object.GetAnnotations()[podconfig.SourceAnnotation],
	}
	return nil
}

// reclaim makes zr the owner of what others wrote of an object that has strayed, as
// of an apply of its own: the next one drops what it does not have.
func (d *Deployer) reclaim(ctx context.Context, i *item) error {
	var others []string
	for _, entry := range i.live.GetManagedFields() {
		if entry.Operation == metav1.ManagedFieldsOperationUpdate && entry.Subresource == "" {
			others = append(others, entry.Manager)
		}
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(i.live, sets.New(others...), manifest.FieldManager)
	if err != nil || len(patch) == 0 {
		return err
	}
	_, err = d.resource(i.object.Kind, i.live.GetNamespace()).Patch(ctx, i.live.GetName(), types.JSONPatchType, json.RawMessage(patch), metav1.PatchOptions{FieldManager: manifest.FieldManager})
	return err
}
