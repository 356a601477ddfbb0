package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var nodeKind = kind{GroupVersionKind: schema.GroupVersionKind{Version: "v1", Kind: "Node"}, resource: "nodes"}

// Architectures returns those of the cluster's Linux nodes, as Go names them,
// sorted: none where the user may not see nodes, or there are none yet.
func (d *Deployer) Architectures(ctx context.Context) ([]string, error) {
	nodes, err := d.resource(nodeKind, "").List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/os=linux"})
	if apierrors.IsForbidden(err) {
		return nil, nil // a right on the whole cluster, which few have on a shared one
	}
	if err != nil {
		return nil, reachable(fmt.Errorf("asking for the nodes' architectures: %w", err))
	}
	found := map[string]bool{}
	for _, node := range nodes.Items {
		if arch := node.GetLabels()["kubernetes.io/arch"]; arch != "" {
			found[arch] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}
