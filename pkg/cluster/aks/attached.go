package aks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"zr/pkg/cmdline"
)

// pullRoles are the ids of Azure's own roles that let somebody pull every image
// of a registry.
var pullRoles = map[string]bool{
	"7f951dda-4ed3-4680-a7ca-43fe172d538d": true, // AcrPull
	"8311e382-0749-4cb8-b61a-304f252e45ec": true, // AcrPush
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": true, // Owner
	"b24988ac-6180-42a0-ab88-20f7382dd24c": true, // Contributor
	"acdd72a7-3385-48ef-bd42-f606fba81ae7": true, // Reader
}

// Attached says whether the nodes of a cluster may pull from a registry of
// Azure's, such as team.azurecr.io: whether their identity has a role that lets
// it. An error means that this cannot be told, as who may use a cluster need not
// be one who may see roles.
func Attached(ctx context.Context, opts Options, registry string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nodes, err := nodesIdentity(ctx, opts)
	if err != nil {
		return false, fmt.Errorf("asking Azure who the nodes are: %w", brief(err))
	}
	id, err := registryID(ctx, opts, registry)
	if err != nil {
		return false, fmt.Errorf("asking Azure for the registry %q: %w", registry, brief(err))
	}
	client, err := armauthorization.NewRoleAssignmentsClient(opts.Subscription, opts.Identity, opts.arm())
	if err != nil {
		return false, err
	}
	unknown := ""
	filter := "assignedTo('" + nodes + "')" // by way of groups, too
	for pager := client.NewListForScopePager(id, &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: &filter}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return false, fmt.Errorf("asking Azure for the roles of the nodes: %w", brief(err))
		}
		for _, a := range page.Value {
			if a == nil || a.Properties == nil || a.Properties.RoleDefinitionID == nil {
				continue
			}
			role := path.Base(*a.Properties.RoleDefinitionID)
			if pullRoles[strings.ToLower(role)] && a.Properties.Condition == nil {
				return true, nil
			}
			unknown = cmp.Or(unknown, role)
		}
	}
	if unknown != "" {
		return false, fmt.Errorf("the nodes have a role on it of which zr does not know what it lets them do, %s", unknown)
	}
	return false, nil
}

// AttachLine is the command that lets the nodes of a cluster pull from a registry.
// What opts does not say is left to be filled in.
func AttachLine(opts Options, registry string) string {
	name, _, _ := strings.Cut(registry, ".")
	name, _, _ = strings.Cut(name, "-") // what follows is of the address alone: a name has no "-"
	opts.ResourceGroup, opts.Cluster = cmp.Or(opts.ResourceGroup, "GROUP"), cmp.Or(opts.Cluster, "CLUSTER")
	return opts.az("aks", "update", "--attach-acr", name)
}

// az is a command about the cluster.
func (o Options) az(group, verb string, flags ...string) string {
	args := []string{group, verb}
	if o.Subscription != "" {
		args = append(args, "--subscription", o.Subscription)
	}
	return cmdline.Line("az", append(append(args, "-g", o.ResourceGroup, "-n", o.Cluster), flags...)...)
}

// nodesIdentity returns the id of what the kubelets of a cluster sign in to
// registries as.
func nodesIdentity(ctx context.Context, opts Options) (string, error) {
	client, err := (&provider{opts}).clusters()
	if err != nil {
		return "", err
	}
	answer, err := client.Get(ctx, opts.ResourceGroup, opts.Cluster, nil)
	if err != nil {
		return "", err
	}
	if answer.Properties != nil {
		if kubelet := answer.Properties.IdentityProfile["kubeletidentity"]; kubelet != nil && kubelet.ObjectID != nil {
			return *kubelet.ObjectID, nil
		}
	}
	return "", errors.New("they have no managed identity")
}

// registryID returns the resource id of a registry of the cluster's subscription.
func registryID(ctx context.Context, opts Options, registry string) (string, error) {
	client, err := armcontainerregistry.NewRegistriesClient(opts.Subscription, opts.Identity, opts.arm())
	if err != nil {
		return "", err
	}
	for pager := client.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, r := range page.Value {
			if r != nil && r.ID != nil && r.Properties != nil && r.Properties.LoginServer != nil && strings.EqualFold(*r.Properties.LoginServer, registry) {
				return *r.ID, nil
			}
		}
	}
	return "", fmt.Errorf("subscription %s has none of that name, or not for who is signed in", opts.Subscription)
}

// arm are the options of requests to the resource manager. A registry of resource types is
// not for a tool that deploys to touch.
func (o Options) arm() *arm.ClientOptions {
	return &arm.ClientOptions{ClientOptions: o.Client, DisableRPRegistration: true}
}
