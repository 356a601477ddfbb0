package deploy

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/state"
)

// What somebody added to a list by hand stays in an apply, beside what is
// applied. Where the two contradict each other, such as two ports of a Service
// with one port of the node, the server refuses every apply from then on. Such
// an object is overwritten: its lists then have what is rendered and no more.

// planOverwrite asks the server whether overwriting an object would do what an
// apply cannot, and returns what it would make of it, or nil.
func (d *Deployer) planOverwrite(ctx context.Context, i *item, refused error) (*unstructured.Unstructured, error) {
	// Two ports with one port of the node are an internal error to the server.
	if !apierrors.IsInvalid(refused) && !apierrors.IsInternalError(refused) || state.Owned(i.live) == nil {
		return nil, nil
	}
	over, dropped := overwritten(i.live, i.object.Unstructured)
	if !dropped {
		return nil, nil // nobody added anything: it is the manifest that is refused
	}
	want, err := d.update(ctx, i.object.Kind, over, true)
	if err != nil {
		if _, verdict := err.(apierrors.APIStatus); verdict {
			return nil, nil // the first refusal says more
		}
		return nil, err
	}
	i.overwrite, i.force = over, true
	return want, nil
}

// overwritten returns a live object with what is rendered in it, and whether
// that drops what others added to lists.
func overwritten(live, rendered *unstructured.Unstructured) (*unstructured.Unstructured, bool) {
	dropped := false
	out := live.DeepCopy()
	merged, _ := overlaid(out.Object, rendered.DeepCopy().Object, &dropped).(map[string]any)
	out.Object = merged
	return out, dropped
}

// overlaid puts a rendered value over a live one. Of a list, only items that
// are rendered stay, each with what the server filled in.
func overlaid(live, rendered any, dropped *bool) any {
	switch rendered := rendered.(type) {
	case map[string]any:
		out, ok := live.(map[string]any)
		if !ok {
			return rendered
		}
		for key, value := range rendered {
			out[key] = overlaid(out[key], value, dropped)
		}
		return out
	case []any:
		list, ok := live.([]any)
		if !ok {
			return rendered
		}
		key := identity(list, rendered)
		if key == "" {
			return rendered
		}
		known := map[string]any{}
		for _, item := range list {
			known[fmt.Sprint(item.(map[string]any)[key])] = item
		}
		for n, item := range rendered {
			id := fmt.Sprint(item.(map[string]any)[key])
			rendered[n] = overlaid(known[id], item, dropped)
			delete(known, id)
		}
		*dropped = *dropped || len(known) > 0
		return rendered
	}
	return rendered
}

// update replaces a live object by what was made of it, if it is still the same.
func (d *Deployer) update(ctx context.Context, k manifest.Kind, m *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	options := metav1.UpdateOptions{FieldManager: manifest.FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return d.resource(k, m.GetNamespace()).Update(ctx, m, options)
}

// overwrite does what planOverwrite found. What zr owns by the update it then
// owns by apply, like everything else, so that a later apply can drop it.
func (d *Deployer) overwrite(ctx context.Context, i *item) error {
	written, err := d.update(ctx, i.object.Kind, i.overwrite, false)
	if err != nil {
		return err
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(written, sets.New(manifest.FieldManager), manifest.FieldManager)
	if err != nil || len(patch) == 0 {
		return err
	}
	_, err = d.resource(i.object.Kind, written.GetNamespace()).Patch(ctx, written.GetName(), types.JSONPatchType, json.RawMessage(patch), metav1.PatchOptions{FieldManager: manifest.FieldManager})
	return err
}
