package deploy

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
)

// DevImages returns, by the name of their workload, the names that PinDev gave
// to the images of what the cluster runs now. A workload that runs a release
// image, or nothing, is left out.
func (d *Deployer) DevImages(ctx context.Context, r *render.Rendered) (map[string]string, error) {
	var scopes []scope
	wanted := map[string]bool{}
	for _, o := range r.Objects {
		if !o.RunsDev() {
			continue
		}
		wanted[manifest.Key(o.Unstructured)] = true
		if p := (scope{o.Kind, o.GetNamespace()}); !slices.Contains(scopes, p) {
			scopes = append(scopes, p)
		}
	}
	names := map[string]string{}
	for _, p := range scopes {
		found, err := d.list(ctx, p.kind, p.namespace, manifest.PartOfLabel+"="+r.ID)
		if err != nil {
			return nil, fmt.Errorf("looking for the dev images that run: %w", err)
		}
		for i := range found {
			if name := devImageOf(&found[i]); name != "" && wanted[manifest.Key(&found[i])] {
				names[found[i].GetName()] = name
			}
		}
	}
	return names, nil
}

func devImageOf(live *unstructured.Unstructured) string {
	metadata := manifest.At(manifest.PodTemplate(live), "metadata")
	if manifest.Text(manifest.At(metadata, "labels"), render.DevLabel) == "" {
		return ""
	}
	return manifest.Text(manifest.At(metadata, "annotations"), render.DevImageAnnotation)
}
