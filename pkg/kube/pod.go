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
	for _, o := range pods {
		p, ok := o.(*object.Pod)
		if ok && p.DeletionTimestamp == nil && runs(p, container) && (newest == nil || newest.CreationTimestamp.Before(p.CreationTimestamp)) {
			newest = p
		}
	}
	if newest == nil {
		return "", fmt.Errorf("looking for the pod: none with %s runs in namespace %q", labels, namespace)
	}
	return newest.Name, nil
}

func runs(p *object.Pod, container string) bool {
	n := 0
	for _, c := range p.Status.ContainerStatuses {
		if container != "" && c.Name != container {
			continue
		}
		if c.State.Running == nil {
			return false
		}
		n++
	}
	return n > 0
}
