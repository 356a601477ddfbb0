package aks

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	rolesfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	registriesfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6/fake"
)

const registryAt = "/subscriptions/subscription/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/team"

// attachments is Azure's fake of the resource manager, with a cluster, a registry
// and the roles of the cluster's nodes on that.
type attachments struct {
	profile  map[string]*armcontainerservice.UserAssignedIdentity
	roles    []*armauthorization.RoleAssignmentProperties
	mayNotBe string // what a user may not list: "registries" or "roles"
	clusters fake.ManagedClustersServer
	registry registriesfake.RegistriesServer
	assigned rolesfake.RoleAssignmentsServer
}

func role(id string, condition *string) *armauthorization.RoleAssignmentProperties {
	return &armauthorization.RoleAssignmentProperties{
		RoleDefinitionID: to.Ptr("/subscriptions/subscription/providers/Microsoft.Authorization/roleDefinitions/" + id), Condition: condition,
	}
}

func (a *attachments) options(t *testing.T) Options {
	t.Helper()
	a.clusters.Get = func(context.Context, string, string, *armcontainerservice.ManagedClustersClientGetOptions) (resp azfake.Responder[armcontainerservice.ManagedClustersClientGetResponse], _ azfake.ErrorResponder) {
		resp.SetResponse(http.StatusOK, armcontainerservice.ManagedClustersClientGetResponse{ManagedCluster: armcontainerservice.ManagedCluster{
			Properties: &armcontainerservice.ManagedClusterProperties{IdentityProfile: a.profile},
		}}, nil)
		return
	}
	a.registry.NewListPager = func(*armcontainerregistry.RegistriesClientListOptions) (resp azfake.PagerResponder[armcontainerregistry.RegistriesClientListResponse]) {
		if a.mayNotBe == "registries" {
			resp.AddResponseError(http.StatusForbidden, "AuthorizationFailed")
			return
		}
		for _, name := range []string{"other", "team"} {
			resp.AddPage(http.StatusOK, armcontainerregistry.RegistriesClientListResponse{RegistryListResult: armcontainerregistry.RegistryListResult{Value: []*armcontainerregistry.Registry{{
				ID: to.Ptr(strings.TrimSuffix(registryAt, "team") + name), Properties: &armcontainerregistry.RegistryProperties{LoginServer: to.Ptr(name + ".azurecr.io")},
			}}}}, nil)
		}
		return
	}
	a.assigned.NewListForScopePager = func(scope string, options *armauthorization.RoleAssignmentsClientListForScopeOptions) (resp azfake.PagerResponder[armauthorization.RoleAssignmentsClientListForScopeResponse]) {
		switch {
		case a.mayNotBe == "roles":
			resp.AddResponseError(http.StatusForbidden, "AuthorizationFailed")
			return
		case "/"+strings.TrimPrefix(scope, "/") != registryAt || *options.Filter != "assignedTo('kubelets')":
			t.Errorf("asked for the roles %q on %q", *options.Filter, scope)
		}
		var found armauthorization.RoleAssignmentListResult
		for _, properties := range a.roles {
			found.Value = append(found.Value, &armauthorization.RoleAssignment{Properties: properties})
		}
		resp.AddPage(http.StatusOK, armauthorization.RoleAssignmentsClientListForScopeResponse{RoleAssignmentListResult: found}, nil)
		return
	}
	return Options{
		Subscription: "subscription", ResourceGroup: "group", Cluster: "team", Identity: newEntra(t).identity(t),
		Client: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}, Transport: transport{
			"Microsoft.Authorization":     rolesfake.NewRoleAssignmentsServerTransport(&a.assigned),
			"Microsoft.ContainerRegistry": registriesfake.NewRegistriesServerTransport(&a.registry),
			"Microsoft.ContainerService":  fake.NewManagedClustersServerTransport(&a.clusters),
		}},
	}
}

// transport hands a request to the fake of what it is about.
type transport map[string]policy.Transporter

func (t transport) Do(req *http.Request) (*http.Response, error) {
	for _, provider := range []string{"Microsoft.Authorization", "Microsoft.ContainerRegistry"} { // a role is on something
		if strings.Contains(req.URL.Path, provider) {
			return t[provider].Do(req)
		}
	}
	return t["Microsoft.ContainerService"].Do(req)
}

// TestAttached asks whether the nodes may pull, of clusters with and without the
// right, and of those of which it cannot be told.
func TestAttached(t *testing.T) {
	const acrPull, somethingElse = "7f951dda-4ed3-4680-a7ca-43fe172d538d", "00000000-aaaa-bbbb-cccc-000000000000"
	kubelets := map[string]*armcontainerservice.UserAssignedIdentity{"kubeletidentity": {ObjectID: to.Ptr("kubelets")}}
	for name, test := range map[string]struct {
		azure    attachments
		registry string
		attached bool
		unknown  string
	}{
		"attached":                       {azure: attachments{profile: kubelets, roles: []*armauthorization.RoleAssignmentProperties{role(somethingElse, nil), role(acrPull, nil)}}, attached: true},
		"not attached":                   {azure: attachments{profile: kubelets}},
		"a role of the team's own":       {azure: attachments{profile: kubelets, roles: []*armauthorization.RoleAssignmentProperties{role(somethingElse, nil)}}, unknown: somethingElse},
		"a role under a condition":       {azure: attachments{profile: kubelets, roles: []*armauthorization.RoleAssignmentProperties{role(acrPull, to.Ptr("…"))}}, unknown: acrPull},
		"no identity":                    {unknown: "they have no managed identity"},
		"a registry of another group":    {azure: attachments{profile: kubelets}, registry: "elsewhere.azurecr.io", unknown: "subscription subscription has none of that name"},
		"who may not see the registries": {azure: attachments{profile: kubelets, mayNotBe: "registries"}, unknown: "403 AuthorizationFailed"},
		"who may not see the roles":      {azure: attachments{profile: kubelets, mayNotBe: "roles"}, unknown: "for the roles of the nodes: 403 AuthorizationFailed"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.registry == "" {
				test.registry = "team.azurecr.io"
			}
			attached, err := Attached(t.Context(), test.azure.options(t), test.registry)
			if attached != test.attached || (err != nil) != (test.unknown != "") {
				t.Errorf("attached: %v, %v", attached, err)
			}
			if err != nil && (!strings.Contains(err.Error(), test.unknown) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%v does not say %q in a line", err, test.unknown)
			}
		})
	}
}

func TestTheLineThatAttaches(t *testing.T) {
	if got, want := AttachLine(Options{Subscription: "s", ResourceGroup: "g", Cluster: "c"}, "team.azurecr.io"), "az aks update --subscription s -g g -n c --attach-acr team"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := AttachLine(Options{ResourceGroup: "team (dev)", Cluster: "c"}, "team-a1b2c3.azurecr.io"), "az aks update -g 'team (dev)' -n c --attach-acr team"; got != want {
		t.Errorf("%s", got)
	}
	if got, want := AttachLine(Options{}, "team.azurecr.io"), "az aks update -g GROUP -n CLUSTER --attach-acr team"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
