package diagnose

import (
	"cmp"
	"slices"

	"zr/pkg/kube/object"
)

// key names an object.
type key struct{ kind, namespace, name string }

// Snapshot is what one or several namespaces held at one moment. The objects
// are shared and must not be changed.
type Snapshot struct {
	workloads   map[key]*object.Workload
	replicaSets map[string][]*object.Workload // by the owner's UID
	pods        map[string][]*object.Pod      // by the owner's UID
	services    map[key]*object.Service
	endpoints   map[key][]*object.EndpointSlice // by the Service
	events      map[string][]*object.Event      // by the UID of what they are about
	// Withheld are the resources that the user's role may not read, by name.
	Withheld map[string]bool
	// Before are the versions of the events that were there when the wait began,
	// by their UID. Their times would not tell: those are of another machine's
	// clock, and cut to seconds.
	Before map[string]string
}

// NewSnapshot returns one of namespaces that hold nothing.
func NewSnapshot() *Snapshot {
	return &Snapshot{
		workloads:   map[key]*object.Workload{},
		replicaSets: map[string][]*object.Workload{},
		pods:        map[string][]*object.Pod{},
		services:    map[key]*object.Service{},
		endpoints:   map[key][]*object.EndpointSlice{},
		events:      map[string][]*object.Event{},
		Withheld:    map[string]bool{},
	}
}

// Add files an object under what a rollout looks it up by.
func (s *Snapshot) Add(o object.Object) {
	switch o := o.(type) {
	case *object.Workload:
		if owner := ownerOf(o); o.Kind == object.ReplicaSet {
			s.replicaSets[owner] = append(s.replicaSets[owner], o)
		} else {
			s.workloads[key{o.Kind, o.Namespace, o.Name}] = o
		}
	case *object.Pod:
		owner := ownerOf(o)
		s.pods[owner] = append(s.pods[owner], o)
	case *object.Service:
		s.services[serviceKey(o.Namespace, o.Name)] = o
	case *object.EndpointSlice:
		of := serviceKey(o.Namespace, o.Labels[object.ServiceNameLabel])
		s.endpoints[of] = append(s.endpoints[of], o)
	case *object.Event:
		s.events[o.InvolvedObject.UID] = append(s.events[o.InvolvedObject.UID], o)
	}
}

func serviceKey(namespace, name string) key { return key{"Service", namespace, name} }

func ownerOf(o object.Object) string {
	if owner := o.Metadata().Owner(); owner != nil {
		return owner.UID
	}
	return ""
}

// Workloads calls f for each workload that pods are made for.
func (s *Snapshot) Workloads(f func(*object.Workload)) {
	for _, w := range s.workloads {
		f(w)
	}
}

// Pods calls f for each pod.
func (s *Snapshot) Pods(f func(*object.Pod)) {
	for _, owned := range s.pods {
		for _, p := range owned {
			f(p)
		}
	}
}

// WithEvents returns the snapshot with the events of another, which was taken
// when something was found to be wrong: a healthy stack is not made to wait for
// them.
func (s *Snapshot) WithEvents(of *Snapshot) *Snapshot {
	merged := *s
	merged.events = of.events
	return &merged
}

// podsOf returns the pods of an owner, the newest first.
func (s *Snapshot) podsOf(owner string) []*object.Pod {
	sorted := slices.Clone(s.pods[owner])
	slices.SortFunc(sorted, func(a, b *object.Pod) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

// warning returns the newest warning about an object with one of the reasons.
func (s *Snapshot) warning(about string, reasons ...string) *object.Event {
	var newest *object.Event
	for _, e := range s.events[about] {
		if slices.Contains(reasons, e.Reason) && (newest == nil || e.Time().After(newest.Time())) {
			newest = e
		}
	}
	return newest
}

// old tells that an event was there when the wait began, and has not happened
// again since.
func (s *Snapshot) old(e *object.Event) bool {
	return e != nil && s.Before[e.UID] != "" && s.Before[e.UID] == e.ResourceVersion
}

// claimWarning returns the newest warning about a PersistentVolumeClaim, which
// a pod names without its UID.
func (s *Snapshot) claimWarning(namespace, name string) *object.Event {
	var newest *object.Event
	for _, about := range s.events {
		for _, e := range about {
			o := e.InvolvedObject
			if o.Kind == "PersistentVolumeClaim" && o.Namespace == namespace && o.Name == name &&
				(newest == nil || e.Time().After(newest.Time())) {
				newest = e
			}
		}
	}
	return newest
}
