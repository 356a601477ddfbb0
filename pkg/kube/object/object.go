// Package object has the few fields of Kubernetes objects that zr and its api
// read, under the names that they have in the API. The types of k8s.io/api
// would cost every rebuild of a program seconds:
// docs/adr/0018-one-client-of-kubernetes.md.
package object

import (
	"time"
)

// Object is one object of the API. The types of this package are, as pointers.
type Object interface {
	// Metadata returns what every object has. It is the object's own.
	Metadata() *Meta
}

// Meta is the metadata of an object.
type Meta struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	UID               string            `json:"uid"`
	ResourceVersion   string            `json:"resourceVersion"`
	Generation        int64             `json:"generation"`
	CreationTimestamp time.Time         `json:"creationTimestamp"`
	DeletionTimestamp *time.Time        `json:"deletionTimestamp"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	OwnerReferences   []OwnerReference  `json:"ownerReferences"`
	ManagedFields     []ManagedFields   `json:"managedFields,omitempty"`
}

// ManagedFields says when who last changed fields of an object, by the clock of the API
// server, in whole seconds. Which fields those are is not read.
type ManagedFields struct {
	Manager     string    `json:"manager"`               // what the program calls itself
	Subresource string    `json:"subresource,omitempty"` // through which, such as "status" or "scale"
	Time        time.Time `json:"time"`
}

// Metadata implements Object for what embeds a Meta.
func (m *Meta) Metadata() *Meta { return m }

// OwnerReference names an object that another belongs to.
type OwnerReference struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Controller bool   `json:"controller"`
}

// Owner returns the controller that made an object, or nil.
func (m *Meta) Owner() *OwnerReference {
	for i := range m.OwnerReferences {
		if m.OwnerReferences[i].Controller {
			return &m.OwnerReferences[i]
		}
	}
	return nil
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

// True tells that a condition holds.
func (c Condition) True() bool { return c.Status == "True" }

// ConditionOf returns the condition of a type, or nil.
func ConditionOf(all []Condition, kind string) *Condition {
	for i := range all {
		if all[i].Type == kind {
			return &all[i]
		}
	}
	return nil
}

// Namespace is a namespace. Nothing but its metadata is read.
type Namespace struct {
	Meta `json:"metadata"`
}

// RoleBinding gives rights on a namespace. Nothing but its metadata is read.
type RoleBinding struct {
	Meta `json:"metadata"`
}

// ConfigMap is a ConfigMap, without what is binary.
type ConfigMap struct {
	Meta `json:"metadata"`
	Data map[string]string `json:"data"`
}

// Secret is a Secret. Nothing but its metadata is read.
type Secret struct {
	Meta `json:"metadata"`
}

// Event is what a component of the cluster tells about an object.
type Event struct {
	Meta           `json:"metadata"`
	InvolvedObject struct {
		Kind      string `json:"kind"`
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		UID       string `json:"uid"`
	} `json:"involvedObject"`
	Type          string    `json:"type"` // "Normal" or "Warning"
	Reason        string    `json:"reason"`
	Message       string    `json:"message"`
	LastTimestamp time.Time `json:"lastTimestamp"`
	EventTime     time.Time `json:"eventTime"`
	Series        *struct {
		LastObservedTime time.Time `json:"lastObservedTime"`
	} `json:"series"`
}

// Time is when an event last happened; which field says so depends on the API
// that the component used.
func (e *Event) Time() time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp
	case !e.EventTime.IsZero():
		return e.EventTime
	}
	return e.CreationTimestamp
}
