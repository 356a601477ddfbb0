// Package fleet says which services run in the namespace and how each of them
// is: what Kubernetes knows of it, and what this api measured itself.
package fleet

import (
	"time"

	"zr/internal/api/podprobe"
	"zr/internal/api/probe"
)

// State is what a service is doing.
type State string

// The states of a service. Removed is in the history only.
const (
	Pending   State = "pending"   // nothing of it runs
	Starting  State = "starting"  // its pods come up
	Healthy   State = "healthy"   // all of its pods answer their probes, or have completed
	Unhealthy State = "unhealthy" // something is wrong, see the reason
	Removed   State = "removed"
)

// The codes of a Reason are those of a diagnose.Cause, and these.
const (
	Stopped     = "stopped"     // scaled to zero
	Unreachable = "unreachable" // Kubernetes calls it ready, the api cannot use it
	Flapping    = "flapping"    // it is healthy and not, time after time
)

// Reason says why a service is not healthy.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Service is one workload of the namespace.
type Service struct {
	Name string `json:"name"`
	// Kind is "Deployment", "StatefulSet", "DaemonSet" or "Job"; empty where
	// Kubernetes could not be asked.
	Kind string `json:"kind,omitempty"`
	// Generation counts the changes of what the workload is to be.
	Generation int64 `json:"generation,omitempty"`
	// Dev says that zr dev changes it while it runs.
	Dev      bool      `json:"dev,omitempty"`
	State    State     `json:"state" enum:"pending,starting,healthy,unhealthy"`
	Reason   *Reason   `json:"reason,omitempty"`
	Ready    int32     `json:"ready"`
	Desired  int32     `json:"desired"`
	Restarts int32     `json:"restarts"` // of all containers of its pods
	Image    string    `json:"image,omitempty"`
	Build    string    `json:"build,omitempty"`    // hash of the code, where it is known
	Started  time.Time `json:"startedAt,omitzero"` // of its newest container
	Pods     []Pod     `json:"pods,omitempty"`
	// DependsOn are the services that this one needs, by their names.
	DependsOn []string `json:"dependsOn,omitempty"`
	// Readiness is nil where it has no pod.
	Readiness *Readiness `json:"readiness,omitempty"`
	// Measured is what this api found when it used the service, for those that it uses
	// and for itself, and otherwise what the slowest of its pods answered, or the last
	// that is not ready: the reason is what that says.
	Measured *probe.Result `json:"measured,omitempty"`

	asked   []podprobe.Target
	written Write
}

// Pod is one pod of a service.
type Pod struct {
	Name     string    `json:"name"`
	Phase    string    `json:"phase"`
	Ready    bool      `json:"ready"`
	Restarts int32     `json:"restarts"`
	Started  time.Time `json:"startedAt,omitzero"`
	Reason   *Reason   `json:"reason,omitempty"`
}

// Snapshot is how all services were at one time.
type Snapshot struct {
	Namespace string    `json:"namespace"`
	At        time.Time `json:"observedAt"`
	// Kubernetes says whether the Kubernetes API answered. Without it the
	// snapshot holds only the services that are measured.
	Kubernetes probe.Result `json:"kubernetes"`
	Services   []Service    `json:"services"` // sorted by name
}
