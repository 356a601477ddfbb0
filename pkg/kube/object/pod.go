package object

import (
	"slices"
	"time"
)

// Pod is a pod and how its containers are.
type Pod struct {
	Meta   `json:"metadata"`
	Spec   PodSpec   `json:"spec"`
	Status PodStatus `json:"status"`
}

// PodSpec is what is asked of a pod.
type PodSpec struct {
	NodeName       string      `json:"nodeName"`
	HostNetwork    bool        `json:"hostNetwork"` // its address is that of the node
	InitContainers []Container `json:"initContainers"`
	Containers     []Container `json:"containers"`
	Volumes        []struct {
		Name                  string `json:"name"`
		PersistentVolumeClaim *struct {
			ClaimName string `json:"claimName"`
		} `json:"persistentVolumeClaim"`
	} `json:"volumes"`
}

// Container is a container of a pod or a template.
type Container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
	Env   []struct {
		Name      string `json:"name"`
		Value     string `json:"value"`
		ValueFrom *struct {
			ConfigMapKeyRef *KeyRef `json:"configMapKeyRef"`
			SecretKeyRef    *KeyRef `json:"secretKeyRef"`
			FieldRef        *struct {
				FieldPath string `json:"fieldPath"`
			} `json:"fieldRef"`
			ResourceFieldRef *struct {
				Resource string `json:"resource"`
			} `json:"resourceFieldRef"`
		} `json:"valueFrom"`
	} `json:"env"`
	EnvFrom []struct {
		Prefix       string  `json:"prefix"`
		ConfigMapRef *KeyRef `json:"configMapRef"`
		SecretRef    *KeyRef `json:"secretRef"`
	} `json:"envFrom"`
	Resources struct {
		Requests map[string]string `json:"requests"` // by resource, as the server writes them
		Limits   map[string]string `json:"limits"`
	} `json:"resources"`
	Ports []struct {
		Name          string `json:"name"`
		ContainerPort int32  `json:"containerPort"`
		Protocol      string `json:"protocol"`
	} `json:"ports"`
	ReadinessProbe *Probe `json:"readinessProbe"`
	LivenessProbe  *Probe `json:"livenessProbe"`
	StartupProbe   *Probe `json:"startupProbe"`
	// RestartPolicy is RestartAlways for an init container that runs on.
	RestartPolicy string `json:"restartPolicy"`
}

// KeyRef names a key of a ConfigMap or a Secret, or without a key all of it.
type KeyRef struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// RestartAlways is the restart policy of an init container that runs on beside
// the others.
const RestartAlways = "Always"

// EnvOf returns the value of a variable, and whether the container has it.
func (c Container) EnvOf(name string) (value string, ok bool) {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value, true
		}
	}
	return "", false
}

// Phases of a pod.
const (
	PodRunning = "Running"
	PodFailed  = "Failed"
)

// PodStatus is what the scheduler and the kubelet say of a pod.
type PodStatus struct {
	Phase                      string            `json:"phase"`
	Reason                     string            `json:"reason"`
	Message                    string            `json:"message"`
	PodIP                      string            `json:"podIP"`
	HostIP                     string            `json:"hostIP"`
	Conditions                 []Condition       `json:"conditions"`
	InitContainerStatuses      []ContainerStatus `json:"initContainerStatuses"`
	ContainerStatuses          []ContainerStatus `json:"containerStatuses"`
	EphemeralContainerStatuses []ContainerStatus `json:"ephemeralContainerStatuses"`
}

// ContainerStatus is how one container is.
type ContainerStatus struct {
	Name         string         `json:"name"`
	Image        string         `json:"image"`
	ImageID      string         `json:"imageID"` // with the digest that runs
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

// Running says since when a container runs, by the clock of its node.
type Running struct {
	StartedAt time.Time `json:"startedAt"`
}

// Terminated says how a container ended.
type Terminated struct {
	Reason     string    `json:"reason"`
	Message    string    `json:"message"`
	ExitCode   int32     `json:"exitCode"`
	Signal     int32     `json:"signal"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt"`
}

// Ready tells that a pod is ready and stays.
func (p *Pod) Ready() bool {
	ready, _ := p.ReadySince()
	return ready && p.DeletionTimestamp == nil
}

// ReadySince returns the Ready condition and when it became so.
func (p *Pod) ReadySince() (bool, time.Time) {
	if c := ConditionOf(p.Status.Conditions, "Ready"); c != nil {
		return c.True(), c.LastTransitionTime
	}
	return false, p.CreationTimestamp
}

// Statuses are those of the init containers and the containers.
func (p *Pod) Statuses() []ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}

// Restarts counts those of all containers.
func (p *Pod) Restarts() int32 {
	var n int32
	for _, c := range p.Statuses() {
		n += c.RestartCount
	}
	return n
}
