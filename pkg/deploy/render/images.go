package render

import (
	"maps"
	"slices"

	"zr/pkg/deploy/manifest"
)

// Pin replaces images, as Options.Images does, in what is already rendered; dev
// has those of the containers that run a dev image. Names are those of the
// manifests, so that a further Pin replaces what an earlier one put there.
func (r *Rendered) Pin(images, dev map[string]string) {
	for from := range images {
		r.known[from] = true
	}
	for _, o := range r.Objects {
		for i, container := range manifest.Containers(manifest.PodTemplate(o.Unstructured)) {
			from := images
			if o.inDev.name != "" && o.inDev.name == manifest.Text(container, "name") {
				from = dev
			}
			if ref := lookup(from, o.Images[i]); ref != "" {
				container["image"] = ref
			}
		}
	}
}

// Helper is a container with the image of a service in dev mode that runs the
// release image all the same: it has no agent of its own.
type Helper struct {
	Service  string // whose image it is
	Workload string // kind and name, for messages
	Name     string
}

// Helpers returns the containers beside those in dev mode that have the image
// of one: of the same pod, or of another workload.
func (r *Rendered) Helpers() (helpers []Helper) {
	for _, o := range r.Objects {
		for i, container := range manifest.Containers(manifest.PodTemplate(o.Unstructured)) {
			service := manifest.Untagged(o.Images[i])
			if name := manifest.Text(container, "name"); slices.Contains(r.dev, service) && (o.inDev.name == "" || o.inDev.name != name) {
				helpers = append(helpers, Helper{service, o.GetKind() + "/" + o.GetName(), name})
			}
		}
	}
	return helpers
}

// ExternalImages returns the images of the manifests that Options.Images does
// not know, sorted: those that somebody else makes.
func (r *Rendered) ExternalImages() []string {
	out := map[string]bool{}
	for _, o := range r.Objects {
		for _, image := range o.Images {
			if image != "" && !r.Builds(image) {
				out[image] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// ImageNames returns the images that containers have in the manifests, without
// their tags, sorted.
func (r *Rendered) ImageNames() []string {
	out := map[string]bool{}
	for _, o := range r.Objects {
		for _, image := range o.Images {
			out[manifest.Untagged(image)] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// pullNothing has the kubelet use the image that its node holds. Of a tag
// "latest", or none, its default is to ask the registry at each start of a pod,
// and not to start it where none answers.
func pullNothing(template map[string]any, pinned map[string]string) {
	for _, container := range manifest.Containers(template) {
		image := manifest.Text(container, "image")
		_, known := pinned[image]
		_, knownUntagged := pinned[manifest.Untagged(image)]
		moving := image == manifest.Untagged(image) || image == manifest.Untagged(image)+":latest"
		if moving && !known && !knownUntagged && manifest.Text(container, "imagePullPolicy") == "" {
			container["imagePullPolicy"] = "IfNotPresent"
		}
	}
}

// lookup finds what an image is replaced by: under its whole name first, then
// under its name without tag and digest.
func lookup(images map[string]string, image string) string {
	if ref, ok := images[image]; ok {
		return ref
	}
	return images[manifest.Untagged(image)]
}

// imagesOf returns the images of an object's containers, in their order.
func imagesOf(template map[string]any) []string {
	var out []string
	for _, container := range manifest.Containers(template) {
		out = append(out, manifest.Text(container, "image"))
	}
	return out
}

// Builds says whether an image of the manifests is one of Options.Images.
func (r *Rendered) Builds(image string) bool {
	return r.known[image] || r.known[manifest.Untagged(image)]
}
