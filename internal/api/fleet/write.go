package fleet

import (
	"time"

	"zr/internal/api/kube"
	"zr/pkg/kube/object"
)

// Write is the last change of what a workload is to be, as the API server keeps it.
type Write struct {
	Manager string    // what the program that wrote it calls itself; empty where several did in one second
	At      time.Time // by the clock of the API server, in whole seconds
	Act     kube.Key  // of the last act of the dashboard: of this write, where that is the manager
	// ScaledWith has set the number of pods through the subresource for that, as kubectl
	// and autoscalers do; empty where nothing has, or something else has set it since. The
	// API server keeps no time of it, and nothing at all where no manifest has a number.
	ScaledWith string
}

// controllerManager fills in what nobody wrote.
const controllerManager = "kube-controller-manager"

// LastWrite returns that of the workload of a service, and whether it is known.
func (s Service) LastWrite() (Write, bool) { return s.written, !s.written.At.IsZero() }

// lastWrite finds that of an object. What a controller says of how it is, is none.
func lastWrite(m *object.Meta) (last Write) {
	last.Act = kube.ParseKey(m.Annotations[object.ActAnnotation])
	for _, f := range m.ManagedFields {
		switch {
		case f.Subresource == "scale":
			last.ScaledWith = f.Manager
		case f.Subresource != "" || f.Manager == controllerManager || f.Time.Before(last.At):
		case f.Time.After(last.At):
			last.Manager, last.At = f.Manager, f.Time
		case f.Manager != last.Manager:
			last.Manager = "" // the API server does not say which of them was the last
		}
	}
	return last
}
