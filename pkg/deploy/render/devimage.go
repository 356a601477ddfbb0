package render

import "zr/pkg/deploy/manifest"

// DevImageAnnotation, on a pod template, is the name that PinDev was given.
const DevImageAnnotation = "zr.dev/dev-image"

// PinDev notes, in the pod templates of the dev services, which image their
// pods are made from: that of a registry has another digest.
func (r *Rendered) PinDev(names map[string]string) {
	for _, o := range r.Objects {
		if name := names[o.GetName()]; name != "" && o.RunsDev() {
			manifest.Need(manifest.PodTemplate(o.Unstructured), "metadata", "annotations")[DevImageAnnotation] = name
		}
	}
}

// RunsDev tells that the object is a workload that runs a dev image.
func (o *Object) RunsDev() bool {
	return manifest.Text(manifest.At(manifest.PodTemplate(o.Unstructured), "metadata", "labels"), DevLabel) != "" && o.Kind.Namespaced
}
