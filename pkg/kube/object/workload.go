package object

import (
	"encoding/json"
	"slices"
)

// The kinds of a Workload.
const (
	Deployment  = "Deployment"
	StatefulSet = "StatefulSet"
	DaemonSet   = "DaemonSet"
	ReplicaSet  = "ReplicaSet"
	Job         = "Job"
)

// The annotations and labels by which controllers say which template a pod or a
// ReplicaSet is of.
const (
	// RevisionAnnotation is on a Deployment and on the ReplicaSet of its current
	// template, with the same number.
	RevisionAnnotation = "deployment.kubernetes.io/revision"
	// RevisionLabel is on a pod of a StatefulSet: the revision of its template.
	RevisionLabel = "controller-revision-hash"
	// TemplateGeneration is the label of a pod of a DaemonSet. The DaemonSet has
	// the current one in TemplateGenerationAnnotation: its hash is known to its
	// controller only.
	TemplateGeneration           = "pod-template-generation"
	TemplateGenerationAnnotation = "deprecated.daemonset.template.generation"
)

// The annotations of a Deployment or StatefulSet that somebody stopped: how many
// replicas it had, who it was, and when (RFC 3339). While StoppedBy is there and the
// workload has no replicas, zr up leaves it so.
const (
	StoppedReplicas = "zr.dev/stopped-replicas"
	StoppedBy       = "zr.dev/stopped-by"
	StoppedAt       = "zr.dev/stopped-at"
)

// ActAnnotation is on a workload that was changed in the dashboard: by which key its audit log
// has the last such act, in 32 hexadecimal digits.
const ActAnnotation = "zr.dev/act"

// The annotations of a Namespace that somebody has for a time: until when, in RFC 3339,
// and what zr calls the environment in it. SetLabel is on that Namespace and on every
// object of the environment, with one value.
const (
	ExpiresAnnotation = "zr.dev/expires"
	SetAnnotation     = "zr.dev/set"
	SetLabel          = "applyset.kubernetes.io/part-of" // of KEP-3659
)

// StoppedByExpiry is the StoppedBy of a workload whose namespace had outlived that time.
// Whoever renews the time starts it again.
const StoppedByExpiry = "zr-expiry"

// Stopped says who stopped a workload that is asked for so many replicas, and since
// when; empty where nobody did.
func Stopped(annotations map[string]string, replicas int32) string {
	by := annotations[StoppedBy]
	if by == "" || replicas != 0 {
		return ""
	}
	if by == StoppedByExpiry {
		return "zr stopped it at " + annotations[StoppedAt] + ", since the time to live of its namespace had ended, until that is renewed"
	}
	return by + " stopped it at " + annotations[StoppedAt] + ", until it is started in the dashboard"
}

// OnDelete is the update strategy by which pods change when somebody deletes
// them.
const OnDelete = "OnDelete"

// Workload is a Deployment, StatefulSet, DaemonSet, ReplicaSet or Job. Each has
// some of the fields.
type Workload struct {
	Kind   string `json:"kind"`
	Meta   `json:"metadata"`
	Spec   WorkloadSpec   `json:"spec"`
	Status WorkloadStatus `json:"status"`
}

// WorkloadSpec is what is asked of a workload.
type WorkloadSpec struct {
	Replicas       *int32      `json:"replicas"` // nil means 1
	Paused         bool        `json:"paused"`   // of a Deployment
	Selector       Selector    `json:"selector"`
	Template       PodTemplate `json:"template"`
	UpdateStrategy struct {    // of a StatefulSet or DaemonSet
		Type          string `json:"type"`
		RollingUpdate *struct {
			Partition *int32 `json:"partition"`
		} `json:"rollingUpdate"`
	} `json:"updateStrategy"`
	Completions *int32 `json:"completions"` // of a Job; nil means 1
	Suspend     *bool  `json:"suspend"`     // of a Job
}

// PodTemplate is what pods are made from.
type PodTemplate struct {
	Meta `json:"metadata"`
	Spec PodSpec `json:"spec"`
}

// WorkloadStatus is what the controller of a workload says of it.
type WorkloadStatus struct {
	ObservedGeneration int64       `json:"observedGeneration"`
	Replicas           int32       `json:"replicas"`
	UpdatedReplicas    int32       `json:"updatedReplicas"`
	ReadyReplicas      int32       `json:"readyReplicas"`
	AvailableReplicas  int32       `json:"availableReplicas"`
	UpdateRevision     string      `json:"updateRevision"` // of a StatefulSet
	Conditions         []Condition `json:"conditions"`
	// Of a DaemonSet.
	DesiredNumberScheduled int32 `json:"desiredNumberScheduled"`
	CurrentNumberScheduled int32 `json:"currentNumberScheduled"`
	UpdatedNumberScheduled int32 `json:"updatedNumberScheduled"`
	NumberReady            int32 `json:"numberReady"`
	NumberAvailable        int32 `json:"numberAvailable"`
	// Of a Job.
	Active    int32 `json:"active"`
	Succeeded int32 `json:"succeeded"`
	Failed    int32 `json:"failed"`
}

// Wanted is how many pods a number of the API asks for: its default is one.
func Wanted(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// Main returns the container that is named like the workload, or else the
// first; nil where there is none.
func (w *Workload) Main() *Container {
	all := w.Spec.Template.Spec.Containers
	if len(all) == 0 {
		return nil
	}
	i := slices.IndexFunc(all, func(c Container) bool { return c.Name == w.Name })
	return &all[max(i, 0)]
}

// ControllerRevision is a template that a StatefulSet or a DaemonSet had.
type ControllerRevision struct {
	Meta     `json:"metadata"`
	Revision int64           `json:"revision"`
	Data     json.RawMessage `json:"data"` // a strategic merge patch of the workload
}

// ChangeCause is the annotation of a revision that says why it was made.
const ChangeCause = "kubernetes.io/change-cause"

// Selector chooses pods by their labels.
type Selector struct {
	MatchLabels      map[string]string `json:"matchLabels"`
	MatchExpressions []struct {
		Key      string   `json:"key"`
		Operator string   `json:"operator"`
		Values   []string `json:"values"`
	} `json:"matchExpressions"`
}
