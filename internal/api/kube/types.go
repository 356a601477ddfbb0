package kube

import (
	"slices"
	"time"
)

// The types below are the fields of the Kubernetes API (apps/v1, v1) that are
// read here, under the names that they have there.

// Meta is the metadata of an object.
type Meta struct {
	Name              string            `json:"name"`
	Generation        int64             `json:"generation"`
	ResourceVersion   string            `json:"resourceVersion"`
	CreationTimestamp time.Time         `json:"creationTimestamp"`
	DeletionTimestamp *time.Time        `json:"deletionTimestamp"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
}

// Workload is a Deployment or a StatefulSet: what is read of them is the same.
type Workload struct {
	Metadata Meta `json:"metadata"`
	Spec     struct {
		Replicas *int32   `json:"replicas"`
		Selector Selector `json:"selector"`
		Template struct {
			Metadata Meta `json:"metadata"`
			Spec     struct {
				Containers []Container `json:"containers"`
			} `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
	Status struct {
		ObservedGeneration int64       `json:"observedGeneration"`
		Replicas           int32       `json:"replicas"`
		ReadyReplicas      int32       `json:"readyReplicas"`
		UpdatedReplicas    int32       `json:"updatedReplicas"`
		Conditions         []Condition `json:"conditions"`
	} `json:"status"`
}

// Container is a container of a pod template.
type Container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
	Env   []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"env"`
}

// Condition is one statement about an object. Status is "True", "False" or
// "Unknown".
type Condition struct {
	Type               string    `json:"type"`
	Status             string    `json:"status"`
	Reason             string    `json:"reason"`
	Message            string    `json:"message"`
	LastTransitionTime time.Time `json:"lastTransitionTime"`
}

// Pod is a pod and how its containers are.
type Pod struct {
	Metadata Meta `json:"metadata"`
	Status   struct {
		Phase                 string            `json:"phase"`
		Reason                string            `json:"reason"`
		Message               string            `json:"message"`
		Conditions            []Condition       `json:"conditions"`
		InitContainerStatuses []ContainerStatus `json:"initContainerStatuses"`
		ContainerStatuses     []ContainerStatus `json:"containerStatuses"`
	} `json:"status"`
}

// ContainerStatus is how one container is.
type ContainerStatus struct {
	Name         string         `json:"name"`
	Ready        bool           `json:"ready"`
	Started      *bool          `json:"started"` // its startup probe has passed
	RestartCount int32          `json:"restartCount"`
	State        ContainerState `json:"state"`
	LastState    ContainerState `json:"lastState"`
}

// ContainerState is one of three; the others are nil.
type ContainerState struct {
	Waiting    *Waiting    `json:"waiting"`
	Running    *Running    `json:"running"`
	Terminated *Terminated `json:"terminated"`
}

// Waiting says why a container does not run yet, or again.
type Waiting struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Running says since when a container runs.
type Running struct {
	StartedAt time.Time `json:"startedAt"`
}

// Terminated says how a container ended.
type Terminated struct {
	Reason   string `json:"reason"`
	ExitCode int32  `json:"exitCode"`
	Signal   int32  `json:"signal"`
}

// Selector chooses pods by their labels.
type Selector struct {
	MatchLabels      map[string]string `json:"matchLabels"`
	MatchExpressions []struct {
		Key      string   `json:"key"`
		Operator string   `json:"operator"`
		Values   []string `json:"values"`
	} `json:"matchExpressions"`
}

// Matches says whether the selector chooses an object with these labels. An
// empty selector chooses nothing: the API refuses it on a workload.
func (s Selector) Matches(labels map[string]string) bool {
	if len(s.MatchLabels) == 0 && len(s.MatchExpressions) == 0 {
		return false
	}
	for key, want := range s.MatchLabels {
		if got, ok := labels[key]; !ok || got != want {
			return false
		}
	}
	for _, e := range s.MatchExpressions {
		value, ok := labels[e.Key]
		switch e.Operator {
		case "In":
			ok = ok && slices.Contains(e.Values, value)
		case "NotIn":
			ok = !ok || !slices.Contains(e.Values, value)
		case "DoesNotExist":
			ok = !ok
		case "Exists":
		default: // an operator of a later API: do not claim pods on a guess
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

// condition returns the one of a type, or nil.
func condition(all []Condition, kind string) *Condition {
	for i := range all {
		if all[i].Type == kind {
			return &all[i]
		}
	}
	return nil
}

// Condition returns the workload's condition of a type, or nil.
func (w *Workload) Condition(kind string) *Condition { return condition(w.Status.Conditions, kind) }

// Condition returns the pod's condition of a type, or nil.
func (p *Pod) Condition(kind string) *Condition { return condition(p.Status.Conditions, kind) }
