// Package render makes the objects of an environment from a kustomize overlay and
// what the config says of it: settings, secrets, images and dev mode. It needs no
// cluster.
package render

import "zr/pkg/podconfig"

// The names of the objects made from Options.
const (
	SettingsName = podconfig.SettingsName // the ConfigMap of Options.Settings
	SecretsName  = podconfig.SecretsName  // the Secret of Options.Secrets
)

// Labels and annotations of what is rendered.
const (
	// ConfigHashAnnotation, on a pod template, changes with the ConfigMaps
	// and Secrets that the pod reads, so that a change of them rolls it. The settings
	// have a hash of their own, podconfig.SettingsHashAnnotation.
	ConfigHashAnnotation = "zr.dev/config-hash"
	// DevLabel, on a pod template, says that the pod runs a dev image.
	DevLabel = "zr.dev/dev"
	// DependsOnAnnotation of a workload names the services that it needs, separated
	// by commas.
	DependsOnAnnotation = "zr.dev/depends-on"
	// LoginKeyAnnotation is of a Service whose page /login takes login links that are
	// made with the secret of this name (pkg/ticket).
	LoginKeyAnnotation = "zr.dev/login-key"

	// NodePortOfLabel, on a Service that zr adds, names the one of the manifests
	// that it gives a port of the nodes.
	NodePortOfLabel = "zr.dev/node-port-of"
)

// Options is one overlay and what is filled into it.
type Options struct {
	// Overlay is the absolute path of the kustomize folder.
	Overlay string
	// Fetch is told, before it happens, what kustomize fetches for the overlay:
	// git repositories and files of the web. Nil refuses an overlay that needs any.
	Fetch func(what []string)
	// Set names the ApplySet, for example "zr-dev". It is also the name of
	// the set's parent object.
	Set string
	// Namespace is where all of the overlay is put in place of the namespace that it
	// names. Default: that one.
	Namespace string
	// Only are the workloads that run there. A Service of the others becomes a name for
	// the one in the namespace that the overlay names. Default: all run.
	Only []string
	// Images maps an image as the manifests name it, with or without its tag,
	// to the reference to run. An empty reference says that the image is
	// known but not pinned yet (see Rendered.Pin). Images that are not here
	// stay as they are and are reported by Rendered.ExternalImages.
	Images map[string]string
	// Loaded says that the nodes hold every image before a pod needs it, so
	// that no registry has to be asked where the manifest does not say so.
	Loaded bool
	// Settings become the ConfigMap "settings".
	Settings map[string]string
	// Secrets become the Secret "secrets". Their values appear in no diff,
	// event or error.
	Secrets map[string]string
	// SecretsUnknown says that nobody knows here which secrets there are: a pod may read
	// any of them.
	SecretsUnknown bool
	// SecretsLent says that the Secret "secrets" is somebody else's and in the cluster
	// already: Secrets are what it has. It is not rendered.
	SecretsLent bool
	// SettingsSource and SecretsSource say where the two are from: files of the
	// project. They are written down in podconfig.SourceAnnotation.
	SettingsSource, SecretsSource string
	// Needs are the services that each workload needs, by name: they are written down
	// in its DependsOnAnnotation.
	Needs map[string][]string
	// Access, where it is not nil, lets others into the environment's namespace.
	Access *Access
	// Dev are the workloads that run a dev image, by name.
	Dev map[string]DevService
}

// DevService is how a workload differs under `zr dev`.
type DevService struct {
	// Memory is what the container may use at least, a Kubernetes quantity.
	// The limit of the manifest stands where it is higher.
	Memory string
	// WritableDir is where the process finds the files that are sent to the
	// container, in an emptyDir that the agent finds as a whole at
	// agentspec.VolumeDir.
	WritableDir string
	// ReleaseDir is where the release image has those files: what the manifest
	// says of a path below it is said of WritableDir, but for the paths in Stays.
	ReleaseDir string
	Stays      []string
	// Slow says that the first answers take seconds, since a dev server compiles
	// what it is asked for.
	Slow bool
	// Served is a TCP port of the container to which its Services lead, 0 where there
	// is none. Without a readiness probe, the process is ready that accepts there.
	Served int32
	// Secrets are added to it too, from a Secret of the workload's name with
	// "-dev" after it: whoever may read pods does not see them.
	Secrets map[string]string
}
