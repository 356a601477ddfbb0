// Package config is what a project says about itself in config/<env>.yaml. It has the
// types, a strict loader that reports every problem at once with its place, and the
// JSON Schema that editors complete from.
package config

import (
	"cmp"
	"time"
)

// Config is one environment of a project. What a manifest or a source file
// already says (ports, probes, the namespace, the images of others) is not
// repeated here.
type Config struct {
	// Project names the cluster (<project>-<env>) and the images.
	Project string `yaml:"project" json:"project"`
	// Cluster is where the environment runs. Default: a kind cluster.
	Cluster Cluster `yaml:"cluster,omitempty" json:"cluster,omitempty"`
	// Overlay is the kustomize folder. Default: kustomize/overlays/<env>.
	Overlay string `yaml:"overlay,omitempty" json:"overlay,omitempty"`
	// Services says how to build and gate the workloads of the overlay. A key
	// is the name of a Deployment, StatefulSet, DaemonSet or Job.
	Services map[string]Service `yaml:"services" json:"services"`
	// Dashboard brings zr's own dashboard up beside the environment, in a
	// namespace of its own on the same cluster. Only for provider "kind".
	Dashboard bool `yaml:"dashboard,omitempty" json:"dashboard,omitempty"`
	// Settings become the ConfigMap "settings".
	Settings map[string]string `yaml:"settings,omitempty" json:"settings,omitempty"`

	// Env is the environment's name, from the file's name.
	Env string `yaml:"-" json:"-"`
	// Instance tells the environment from others of the same project: see As.
	Instance string `yaml:"-" json:"instance,omitempty"`
	// Namespace is the one of somebody's own that the environment is put into: see In.
	Namespace string `yaml:"-" json:"namespace,omitempty"`
	// Only are the services that run there, where the others are those of the
	// environment beside it: see OnlyOf.
	Only []string `yaml:"-" json:"only,omitempty"`
	// Beside is the environment of a project beside which this one runs, for an
	// environment of zr's own: command lines are about that one.
	Beside *Config `yaml:"-" json:"-"`
	// Root is the absolute path of the project's folder: the one that holds config/.
	Root string `yaml:"-" json:"-"`
	// File is the path of the file that was loaded.
	File string `yaml:"-" json:"-"`
	// Secrets are the values of config/secrets/<env>.env, which become the
	// Secret "secrets". They are never printed.
	Secrets map[string]string `yaml:"-" json:"-"`
	// SecretsMissing says that there is no such file: Secrets are those of its
	// example, which nothing may run with. MakeSecrets makes the file.
	SecretsMissing bool `yaml:"-" json:"-"`
	// SecretsLent says that the Secret in the cluster is somebody else's: Secrets are what
	// it has, and nil where that is not known.
	SecretsLent bool `yaml:"-" json:"-"`
	// Sealed is the path of the file of secrets where that is one which a key opens.
	// Until Unseal, Secrets are those of its example, which nothing may run with.
	Sealed string `yaml:"-" json:"-"`
	// Opened are the bytes of that file when it was opened, and nil before.
	Opened []byte `yaml:"-" json:"-"`
}

// Cluster is where an environment runs.
type Cluster struct {
	// Provider makes or finds the cluster: "kind", "context" or "aks". Default: kind.
	Provider string `yaml:"provider,omitempty" json:"provider,omitempty" jsonschema:"enum=kind,enum=context,enum=aks"`
	// Name of the kind cluster. Default: <project>-<env>.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// Context is the one kubeconfig context that zr may touch, for provider "context".
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
	// AKS is the cluster of Azure Kubernetes Service, for provider "aks".
	AKS AKS `yaml:"aks,omitempty" json:"aks,omitzero"`
	// Registry takes the images of a cluster that is not kind, for example
	// registry.example/team.
	Registry string `yaml:"registry,omitempty" json:"registry,omitempty"`
	// DeltaPush has a run send what has changed in a layer, where the registry has an
	// older one: a pod of the environment's namespace makes it whole and pushes it.
	DeltaPush bool `yaml:"deltaPush,omitempty" json:"deltaPush,omitempty"`
	// Nodes is the number of kind nodes. Default: 1.
	Nodes int `yaml:"nodes,omitempty" json:"nodes,omitempty" jsonschema:"minimum=1,maximum=16"`
	// NodeImage is the kind node image. Default: the one of zr's kind version.
	NodeImage string `yaml:"nodeImage,omitempty" json:"nodeImage,omitempty"`
	// Ports gives a Service a port of this machine: other than its own where it
	// is of type NodePort or LoadBalancer, any where it has none. A key is the
	// name of a Service, for its first port, or service/port-name.
	Ports map[string]int `yaml:"ports,omitempty" json:"ports,omitempty"`
}

// AKS names a cluster of Azure Kubernetes Service.
type AKS struct {
	// Subscription is the id of the subscription that the cluster is in.
	Subscription string `yaml:"subscription,omitempty" json:"subscription,omitempty"`
	// ResourceGroup is the resource group that the cluster is in.
	ResourceGroup string `yaml:"resourceGroup,omitempty" json:"resourceGroup,omitempty"`
	// Cluster is the cluster's name.
	Cluster string `yaml:"cluster,omitempty" json:"cluster,omitempty"`
	// Tenant is the id or domain of the Entra ID tenant to sign in to. Default:
	// that of whoever is signed in.
	Tenant string `yaml:"tenant,omitempty" json:"tenant,omitempty"`
}

// Called is what the cluster is called: its name, its context's, or that in Azure.
func (c Cluster) Called() string { return cmp.Or(c.Name, c.Context, c.AKS.Cluster) }

// Service says how one workload is built and gated.
type Service struct {
	// Build makes the image that the manifest names like the service. Absent
	// for images of others.
	Build *Build `yaml:"build,omitempty" json:"build,omitempty"`
	// Probe is how the gate asks whether the service is healthy. Default: the
	// readiness probe of the manifest where it is httpGet or tcpSocket, otherwise
	// rollout.
	Probe string `yaml:"probe,omitempty" json:"probe,omitempty"`
	// DependsOn are the services that must be healthy first.
	DependsOn []string `yaml:"dependsOn,omitempty" json:"dependsOn,omitempty"`
	// Timeout is how long the gate waits for the service, and how long a version
	// that was saved has to get healthy. Default: 3m for the one, 10s for the
	// other.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
}

// Duration is a time.Duration that YAML writes as "90s" or "3m".
type Duration time.Duration
