package aks

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6"

	"zr/internal/testkit"
	"zr/pkg/cluster/aks/akstest"
)

func TestWhySigningInFails(t *testing.T) {
	for name, test := range map[string]struct{ said, want, hint string }{
		"expired":      {"AADSTS700082: The refresh token has expired due to inactivity.", "the sign-in has expired: AADSTS700082", "`az login --tenant " + akstest.TenantID},
		"wrong tenant": {"AADSTS90002: Tenant 'x' not found.", "it is the wrong tenant: AADSTS90002", "`az login --tenant"},
		"secret":       {"AADSTS7000222: The provided client secret keys are expired.", "the secret or certificate of the application is not accepted", "az ad app credential reset"},
		"other":        {"AADSTS53003: Access has been blocked by Conditional Access policies.", "AADSTS53003: Access has been blocked", "az login"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEntra(t)
			e.Set(func(r *akstest.Rules) { r.Refusal = test.said })
			_, err := newARM("https://127.0.0.1:1").provider(t, e.identity(t), filepath.Join(t.TempDir(), "k")).Find(t.Context())
			expect(t, err, test.want, test.hint)
		})
	}
}

// nobody is a machine on which nobody is signed in.
type nobody struct{}

func (nobody) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, azidentity.NewCredentialUnavailableError("nothing here")
}

func TestNobodyIsSignedIn(t *testing.T) {
	chain, err := azidentity.NewChainedTokenCredential([]azcore.TokenCredential{nobody{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	identity := NewIdentity(IdentityOptions{Credential: chain})
	_, err = newARM("https://127.0.0.1:1").provider(t, identity, filepath.Join(t.TempDir(), "k")).Find(t.Context())
	expect(t, err, "nobody is signed in on this machine", "`az login`; or set AZURE_TENANT_ID")
}

func TestWhyAzureRefuses(t *testing.T) {
	for code, test := range map[string]struct {
		status     int
		want, hint string
	}{
		"AuthorizationFailed":              {403, "may not fetch its user credentials", `az role assignment create --role 'Azure Kubernetes Service Cluster User Role' --assignee YOU --scope /subscriptions/subscription/resourceGroups/group/providers/Microsoft.ContainerService/managedClusters/team`},
		"ResourceNotFound":                 {404, "there is no such cluster", "az aks list --subscription subscription"},
		"ResourceGroupNotFound":            {404, `there is no resource group "group"`, "az group list --subscription subscription"},
		"SubscriptionNotFound":             {404, `there is no subscription "subscription"`, "az account list"},
		"InvalidAuthenticationTokenTenant": {401, "another tenant than the subscription", "`az login --tenant TENANT`"},
		"ExpiredAuthenticationToken":       {401, "the sign-in is not accepted", "az login"},
	} {
		t.Run(code, func(t *testing.T) {
			a := newARM("")
			a.server.ListClusterUserCredentials = func(context.Context, string, string, *armcontainerservice.ManagedClustersClientListClusterUserCredentialsOptions) (resp azfake.Responder[armcontainerservice.ManagedClustersClientListClusterUserCredentialsResponse], errResp azfake.ErrorResponder) {
				errResp.SetResponseError(test.status, code)
				return
			}
			_, err := a.provider(t, newEntra(t).identity(t), filepath.Join(t.TempDir(), "k")).Find(t.Context())
			expect(t, err, test.want, test.hint)
		})
	}
}

// TestWhyNobodyAnswers has a cluster that cannot be reached, and what Azure
// knows of it.
func TestWhyNobodyAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		state      armcontainerservice.ManagedClusterProperties
		want, hint string
	}{
		"stopped": {armcontainerservice.ManagedClusterProperties{PowerState: &armcontainerservice.PowerState{Code: to.Ptr(armcontainerservice.CodeStopped)}},
			"the cluster is stopped", "`az aks start --subscription subscription -g group -n team`"},
		"private": {armcontainerservice.ManagedClusterProperties{APIServerAccessProfile: &armcontainerservice.ManagedClusterAPIServerAccessProfile{EnablePrivateCluster: to.Ptr(true)}},
			"the cluster is private", "virtual network"},
		"ranges": {armcontainerservice.ManagedClusterProperties{APIServerAccessProfile: &armcontainerservice.ManagedClusterAPIServerAccessProfile{AuthorizedIPRanges: []*string{to.Ptr("192.0.2.0/24")}}},
			"some address ranges only", "`az aks update --subscription subscription -g group -n team --api-server-authorized-ip-ranges 192.0.2.0/24,ADDRESS`"},
		"none of these": {armcontainerservice.ManagedClusterProperties{}, "asking the API server", "VPN"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newARM(fmt.Sprintf("https://127.0.0.1:%d", testkit.FreePort(t)))
			a.server.Get = func(context.Context, string, string, *armcontainerservice.ManagedClustersClientGetOptions) (resp azfake.Responder[armcontainerservice.ManagedClustersClientGetResponse], errResp azfake.ErrorResponder) {
				resp.SetResponse(http.StatusOK, armcontainerservice.ManagedClustersClientGetResponse{ManagedCluster: armcontainerservice.ManagedCluster{Properties: &test.state}}, nil)
				return
			}
			_, err := a.provider(t, newEntra(t).identity(t), filepath.Join(t.TempDir(), "k")).Find(t.Context())
			expect(t, err, test.want, test.hint)
		})
	}
}
