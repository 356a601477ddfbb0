package fleet

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"zr/internal/api/kube"
	"zr/pkg/kube/object"
)

// KubernetesEvent is something that Kubernetes tells of a service. The cluster forgets it an
// hour later, by default.
type KubernetesEvent struct {
	At      time.Time `json:"at"`
	Warning bool      `json:"warning"`
	Object  string    `json:"object"` // what it is about: "Pod/api-7d4b9-x2k1q"
	Reason  string    `json:"reason"` // one word: "BackOff"
	Message string    `json:"message"`
}

// mostEvents is how many Events returns: a crash loop has ten kinds of them.
const mostEvents = 200

// Events returns what Kubernetes tells of a service, of its pods and of those that are
// gone, the newest first. They are asked for, and not watched: nobody else needs them.
func (r *Reader) Events(ctx context.Context, s Service) ([]KubernetesEvent, error) {
	if r.kube == nil {
		return nil, kube.ErrNotInCluster
	}
	list, _, err := r.kube.List(ctx, object.Events, "")
	if err != nil {
		return nil, err
	}
	events := []KubernetesEvent{}
	for _, o := range list {
		if e, ok := o.(*object.Event); ok && s.has(e.InvolvedObject.Kind, e.InvolvedObject.Name) {
			events = append(events, KubernetesEvent{
				At: e.Time().UTC(), Warning: e.Type == "Warning", Object: e.InvolvedObject.Kind + "/" + e.InvolvedObject.Name,
				Reason: e.Reason, Message: r.secrets.Text(e.Message),
			})
		}
	}
	slices.SortStableFunc(events, func(a, b KubernetesEvent) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Object, b.Object)) })
	return events[:min(len(events), mostEvents)], nil
}

// has tells by its name whether an object belongs to the service: the pods of which an
// event tells may be gone. Kubernetes puts words without a dash behind the name of the
// owner, two behind that of a Deployment of which it makes pods.
func (s Service) has(kind, name string) bool {
	workload := strings.TrimPrefix(s.Name, strings.ToLower(s.Kind)+"/")
	words := 0
	switch {
	case kind == s.Kind:
	case kind == object.ReplicaSet && s.Kind == object.Deployment:
		words = 1
	case kind == "Pod" && s.Kind == object.Deployment:
		words = 2
	case kind == "Pod":
		words = 1
	default:
		return false
	}
	for range words {
		name = name[:max(strings.LastIndex(name, "-"), 0)]
	}
	return name == workload
}
