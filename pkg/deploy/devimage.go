package deploy

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// devImageAnnotation, on a pod template, is the name that PinDev was given.
const devImageAnnotation = "zr.dev/dev-image"

// PinDev notes, in the pod templates of the dev services, which image their
// pods are made from: that of a registry has another digest.
func (r *Rendered) PinDev(names map[string]string) {
	for _, o := range r.objects {
		if name := names[o.GetName()]; name != "" && o.dev() {
			need(podTemplate(o.Unstructured), "metadata", "annotations")[devImageAnnotation] = name
		}
	}
}

// dev tells that the object is a workload that runs a dev image.
func (o *object) dev() bool {
	return text(at(podTemplate(o.Unstructured), "metadata", "labels"), DevLabel) != "" && o.kind.namespaced
}

// DevImages returns, by the name of their workload, the names that PinDev gave
// to the images of what the cluster runs now. A workload that runs a release
// image, or nothing, is left out.
func (d *Deployer) DevImages(ctx context.Context, r *Rendered) (map[string]string, error) {
	var places []place
	wanted := map[string]bool{}
	for _, o := range r.objects {
		if !o.dev() {
			continue
		}
		wanted[keyOf(o.Unstructured)] = true
		if p := (place{o.kind, o.GetNamespace()}); !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	names := map[string]string{}
	for _, p := range places {
		found, err := d.list(ctx, p.kind, p.namespace, partOfLabel+"="+r.id)
		if err != nil {
			return nil, fmt.Errorf("looking for the dev images that run: %w", err)
		}
		for i := range found {
			if name := devImageOf(&found[i]); name != "" && wanted[keyOf(&found[i])] {
				names[found[i].GetName()] = name
			}
		}
	}
	return names, nil
}

func devImageOf(live *unstructured.Unstructured) string {
	metadata := at(podTemplate(live), "metadata")
	if text(at(metadata, "labels"), DevLabel) == "" {
		return ""
	}
	return text(at(metadata, "annotations"), devImageAnnotation)
}
