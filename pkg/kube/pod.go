package kube

import (
	"context"
	"fmt"

	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// RunningPod returns the name of the newest pod with labels of which a container
// runs; an empty container means each that it has.
func (c *Client) RunningPod(ctx context.Context, namespace, labels, container string) (string, error) {
	pods, _, err := c.List(ctx, object.Pods, lean.ListOptions{Namespace: namespace, Labels: labels})
	if err != nil {
		return "", fmt.Errorf("looking for the pod: %w", err)
	}
	var newest *object.Pod
	idle := fmt.Sprintf("none with %s is in namespace %q", labels, namespace)
	for _, o := range pods {
		p, ok := o.(*object.Pod)
		if !ok || p.DeletionTimestamp != nil {
			continue
		}
		if why := idles(p, container); why != "" {
			idle = why
		} else if newest == nil || newest.CreationTimestamp.Before(p.CreationTimestamp) {
			newest = p
		}
	}
	if newest == nil {
		return "", fmt.Errorf("looking for the pod: %s", idle)
	}
	return newest.Name, nil
}

// idles says why a container of a pod does not run, or "".
func idles(p *object.Pod, container string) string {
	why := fmt.Sprintf("%s is not started yet", p.Name)
	for _, c := range p.Status.ContainerStatuses {
		if container != "" && c.Name != container {
			continue
		}
		why = ""
		if c.State.Running == nil {
			why = fmt.Sprintf("container %q of %s does not run", c.Name, p.Name)
			if w := c.State.Waiting; w != nil && w.Reason != "" {
				why += ": " + w.Reason
			}
			return why
		}
	}
	return why
}
