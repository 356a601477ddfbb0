package cluster

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"zr/pkg/kube/lean"
)

// Abilities are what zr can do with the clusters of a provider. They are known
// before a cluster is found, and the same for each that the provider finds.
type Abilities struct {
	// Own says that zr makes, starts and deletes it, and that only environments of
	// this machine's user are on it.
	Own bool
	// Loads says that images are loaded into its nodes. Others pull from a registry.
	Loads bool
	// HostPorts says that ports of this machine can lead to its Services.
	HostPorts bool
	// Platform is that of its nodes, as "linux/amd64". It is empty where only the nodes
	// can say: see Cluster.Platforms.
	Platform string
}

// Platforms asks a cluster for the platforms of its nodes that run Linux: sorted,
// each once, as "linux/amd64". It returns none where the user may not see the nodes.
func (c *Cluster) Platforms(ctx context.Context) ([]string, error) {
	var list struct {
		Items []struct {
			Status struct {
				NodeInfo struct{ OperatingSystem, Architecture string }
			}
		}
	}
	err := c.Client.Get(ctx, "api/v1/nodes", nil, &list)
	if lean.HasCode(err, http.StatusForbidden) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking cluster %q for its nodes: %w", c.Name, err)
	}
	var platforms []string
	for _, node := range list.Items {
		if info := node.Status.NodeInfo; info.OperatingSystem == "linux" && info.Architecture != "" {
			platforms = append(platforms, info.OperatingSystem+"/"+info.Architecture)
		}
	}
	slices.Sort(platforms)
	return slices.Compact(platforms), nil
}
