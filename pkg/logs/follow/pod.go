package follow

import (
	"slices"
	"strings"

	"zr/pkg/kube/object"
)

// statuses are those of all containers of a pod.
func statuses(p *object.Pod) []object.ContainerStatus {
	return slices.Concat(p.Statuses(), p.Status.EphemeralContainerStatuses)
}

// serviceOf is the name of the workload that a pod belongs to.
func serviceOf(p *object.Pod) string {
	if o := p.Owner(); o != nil {
		if hash := p.Labels["pod-template-hash"]; o.Kind == "ReplicaSet" && hash != "" {
			return strings.TrimSuffix(o.Name, "-"+hash)
		}
		return o.Name
	}
	if name := p.Labels["app.kubernetes.io/name"]; name != "" {
		return name
	}
	return p.Name
}

// runOf numbers the runs of a container that have a log, from 0 on: that of the
// newest one, or -1 where there was none yet.
func runOf(c object.ContainerStatus) int {
	if c.State.Running == nil && c.State.Terminated == nil && c.LastState.Terminated == nil {
		return -1
	}
	return int(c.RestartCount)
}

// over tells that the newest run has ended.
func over(c object.ContainerStatus) bool { return c.State.Running == nil }
