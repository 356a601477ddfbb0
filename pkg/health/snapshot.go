package health

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// key names a workload of one kind.
type key struct{ namespace, name string }

// snapshot is what one or several namespaces held at one moment. The objects
// are shared and must not be changed.
type snapshot struct {
	deployments  map[key]*appsv1.Deployment
	statefulSets map[key]*appsv1.StatefulSet
	daemonSets   map[key]*appsv1.DaemonSet
	jobs         map[key]*batchv1.Job
	replicaSets  map[types.UID][]*appsv1.ReplicaSet // by the owner's UID
	pods         map[types.UID][]*corev1.Pod        // by the owner's UID
	services     map[key]*corev1.Service
	endpoints    map[key][]*discoveryv1.EndpointSlice // by the Service
	events       map[types.UID][]*corev1.Event        // by the UID of what they are about
	// withheld are the kinds that the user's role may not read, by name.
	withheld map[string]bool
	// before are the versions of the events that were there when the wait began.
	// Their times would not tell: those are of another machine's clock, and
	// cut to seconds.
	before map[types.UID]string
}

func newSnapshot() *snapshot {
	return &snapshot{
		deployments:  map[key]*appsv1.Deployment{},
		statefulSets: map[key]*appsv1.StatefulSet{},
		daemonSets:   map[key]*appsv1.DaemonSet{},
		jobs:         map[key]*batchv1.Job{},
		replicaSets:  map[types.UID][]*appsv1.ReplicaSet{},
		pods:         map[types.UID][]*corev1.Pod{},
		services:     map[key]*corev1.Service{},
		endpoints:    map[key][]*discoveryv1.EndpointSlice{},
		withheld:     map[string]bool{},
		events:       map[types.UID][]*corev1.Event{},
	}
}

// add files an object under what a rollout looks it up by.
func (s *snapshot) add(o any) {
	switch o := o.(type) {
	case *appsv1.Deployment:
		s.deployments[key{o.Namespace, o.Name}] = o
	case *appsv1.StatefulSet:
		s.statefulSets[key{o.Namespace, o.Name}] = o
	case *appsv1.DaemonSet:
		s.daemonSets[key{o.Namespace, o.Name}] = o
	case *batchv1.Job:
		s.jobs[key{o.Namespace, o.Name}] = o
	case *appsv1.ReplicaSet:
		owner := ownerOf(o)
		s.replicaSets[owner] = append(s.replicaSets[owner], o)
	case *corev1.Pod:
		owner := ownerOf(o)
		s.pods[owner] = append(s.pods[owner], o)
	case *corev1.Service:
		s.services[key{o.Namespace, o.Name}] = o
	case *discoveryv1.EndpointSlice:
		of := key{o.Namespace, o.Labels[discoveryv1.LabelServiceName]}
		s.endpoints[of] = append(s.endpoints[of], o)
	case *corev1.Event:
		s.events[o.InvolvedObject.UID] = append(s.events[o.InvolvedObject.UID], o)
	}
}

func ownerOf(o metav1.Object) types.UID {
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
		return owner.UID
	}
	return ""
}

// podsOf returns the pods of an owner, the newest first.
func (s *snapshot) podsOf(owner types.UID) []*corev1.Pod {
	sorted := slices.Clone(s.pods[owner])
	slices.SortFunc(sorted, func(a, b *corev1.Pod) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

// warning returns the newest warning about an object with one of the reasons.
func (s *snapshot) warning(about types.UID, reasons ...string) *corev1.Event {
	var newest *corev1.Event
	for _, e := range s.events[about] {
		if slices.Contains(reasons, e.Reason) && (newest == nil || eventTime(e).After(eventTime(newest).Time)) {
			newest = e
		}
	}
	return newest
}

// old tells that an event was there when the wait began, and has not happened
// again since.
func (s *snapshot) old(e *corev1.Event) bool {
	return e != nil && s.before[e.UID] != "" && s.before[e.UID] == e.ResourceVersion
}

// claimWarning returns the newest warning about a PersistentVolumeClaim, which
// a pod names without its UID.
func (s *snapshot) claimWarning(namespace, name string) *corev1.Event {
	var newest *corev1.Event
	for _, about := range s.events {
		for _, e := range about {
			o := e.InvolvedObject
			if o.Kind == "PersistentVolumeClaim" && o.Namespace == namespace && o.Name == name &&
				(newest == nil || eventTime(e).After(eventTime(newest).Time)) {
				newest = e
			}
		}
	}
	return newest
}

// eventTime is when an event last happened; which field says so depends on
// the API that the component used.
func eventTime(e *corev1.Event) metav1.Time {
	switch {
	case e.Series != nil:
		return metav1.Time{Time: e.Series.LastObservedTime.Time}
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp
	case !e.EventTime.IsZero():
		return metav1.Time{Time: e.EventTime.Time}
	}
	return e.CreationTimestamp
}
