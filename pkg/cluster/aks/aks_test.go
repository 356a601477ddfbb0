package aks

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6/fake"

	"zr/internal/testkit"
	"zr/pkg/cluster"
	"zr/pkg/cluster/aks/akstest"
	"zr/pkg/cmdline"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/fault"
	"zr/pkg/kube/lean"
)

// azureAPI is Azure's fake of its own resource manager.
type azureAPI struct {
	server fake.ManagedClustersServer
	asked  int // for a user's credentials
	admin  int // for an administrator's
}

const kubeconfig = `{apiVersion: v1, kind: Config, current-context: team,
clusters: [{name: team, cluster: {server: %q, insecure-skip-tls-verify: true}}],
contexts: [{name: team, context: {cluster: team, user: clusterUser_group_team}}],
users: [{name: clusterUser_group_team, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: kubelogin, env: null, provideClusterInfo: false,
  args: [get-token, --environment, AzurePublicCloud, --server-id, %s, --client-id, other, --tenant-id, %s, --login, devicecode]}}}]}`

// newARM gives the user credentials of an API server, and those of nobody else.
func newARM(host string) *azureAPI {
	a := &azureAPI{}
	a.server.ListClusterUserCredentials = func(_ context.Context, group, name string, options *armcontainerservice.ManagedClustersClientListClusterUserCredentialsOptions) (resp azfake.Responder[armcontainerservice.ManagedClustersClientListClusterUserCredentialsResponse], errResp azfake.ErrorResponder) {
		a.asked++
		if group != "group" || name != "team" || *options.Format != armcontainerservice.FormatExec {
			errResp.SetResponseError(http.StatusNotFound, "ResourceNotFound")
			return
		}
		resp.SetResponse(http.StatusOK, armcontainerservice.ManagedClustersClientListClusterUserCredentialsResponse{CredentialResults: armcontainerservice.CredentialResults{
			Kubeconfigs: []*armcontainerservice.CredentialResult{{Name: to.Ptr("clusterUser"), Value: fmt.Appendf(nil, kubeconfig, host, akstest.ServerID, akstest.TenantID)}},
		}}, nil)
		return
	}
	a.server.ListClusterAdminCredentials = func(context.Context, string, string, *armcontainerservice.ManagedClustersClientListClusterAdminCredentialsOptions) (_ azfake.Responder[armcontainerservice.ManagedClustersClientListClusterAdminCredentialsResponse], refused azfake.ErrorResponder) {
		a.admin++
		refused.SetResponseError(http.StatusForbidden, "AuthorizationFailed")
		return
	}
	a.server.GetAccessProfile = func(context.Context, string, string, string, *armcontainerservice.ManagedClustersClientGetAccessProfileOptions) (_ azfake.Responder[armcontainerservice.ManagedClustersClientGetAccessProfileResponse], refused azfake.ErrorResponder) {
		a.admin++
		refused.SetResponseError(http.StatusForbidden, "AuthorizationFailed")
		return
	}
	return a
}

func (a *azureAPI) provider(t *testing.T, identity *Identity, kept string) cluster.Provider {
	t.Helper()
	return New(Options{
		Subscription: "subscription", ResourceGroup: "group", Cluster: "team", Identity: identity, Kubeconfig: kept,
		Plugin: []string{"/bin/zr", "kube-token"}, Lines: cmdline.Run{},
		Client: azcore.ClientOptions{Transport: fake.NewManagedClustersServerTransport(&a.server), Retry: policy.RetryOptions{MaxRetries: -1}},
	})
}

// whoami asks an API server whom it takes the user for.
func whoami(t *testing.T, c *cluster.Cluster) func() (string, error) {
	t.Helper()
	t.Cleanup(c.Client.Close)
	return func() (string, error) {
		// A user who may do nothing is named in what is refused.
		err := c.Client.Get(t.Context(), "api/v1/namespaces", nil, nil)
		if lean.HasCode(err, http.StatusForbidden) {
			_, rest, _ := strings.Cut(err.Error(), `User "`)
			name, _, _ := strings.Cut(rest, `"`)
			return name, nil
		}
		return "", err
	}
}

// TestAUserOfACluster has a real API server check tokens that expire, from the
// credentials that Azure gives to requests in the midst of a run.
func TestAUserOfACluster(t *testing.T) {
	e := newEntra(t)
	admin := kubetest.Server(t, e.apiServerFlags(t)...)
	a, kept := newARM(admin.Host), filepath.Join(t.TempDir(), "kubeconfig")

	c, err := a.provider(t, e.identity(t), kept).Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "team" || c.Provider != "aks" || c.Context != "team" || c.Kubeconfig != kept {
		t.Errorf("found %+v", c)
	}
	if who, err := whoami(t, c)(); who != "dev@example.com" {
		t.Errorf("the API server takes the user for %q, %v", who, err)
	}
	text, err := os.ReadFile(kept)
	if err != nil || !strings.Contains(string(text), "kube-token") || strings.Contains(string(text), "eyJ") {
		t.Errorf("%v; kept is\n%s", err, text)
	}

	t.Run("Azure is asked once", func(t *testing.T) {
		if _, err := a.provider(t, e.identity(t), kept).Find(t.Context()); err != nil || a.asked != 1 {
			t.Errorf("%v; asked %d times", err, a.asked)
		}
	})
	t.Run("a way that leads nowhere is asked for anew", func(t *testing.T) {
		stale := filepath.Join(t.TempDir(), "kubeconfig")
		gone := fmt.Sprintf("https://127.0.0.1:%d", testkit.FreePort(t))
		if err := os.WriteFile(stale, fmt.Appendf(nil, kubeconfig, gone, akstest.ServerID, akstest.TenantID), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := a.provider(t, e.identity(t), stale).Find(t.Context()); err != nil || a.asked != 2 {
			t.Errorf("%v; asked %d times", err, a.asked)
		}
	})
	t.Run("tokens expire during a run", func(t *testing.T) {
		e.Set(func(r *akstest.Rules) { r.Lifetime = 2 * time.Second })
		defer e.Set(func(r *akstest.Rules) { r.Lifetime = time.Hour })
		c, err := a.provider(t, e.identity(t), kept).Find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ask, before := whoami(t, c), e.Issued("dev")
		for e.Issued("dev") < before+2 {
			if who, err := ask(); who != "dev@example.com" {
				t.Fatalf("in the midst of a run: %q, %v", who, err)
			}
		}
	})
	t.Run("a token that is refused is replaced", func(t *testing.T) {
		identity := e.identity(t)
		c, err := a.provider(t, identity, kept).Find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		login := Login{Scope: ScopeOf(akstest.ServerID), Tenant: akstest.TenantID}
		identity.tokens[login] = token{value: "taken.back", renew: time.Now().Add(time.Hour)}
		if who, err := whoami(t, c)(); who != "dev@example.com" {
			t.Errorf("%q, %v", who, err)
		}
	})
	t.Run("tokens for somebody else", func(t *testing.T) {
		e.Set(func(r *akstest.Rules) { r.Audience = "another application" })
		defer e.Set(func(r *akstest.Rules) { r.Audience = "" })
		_, err := a.provider(t, e.identity(t), kept).Find(t.Context())
		expect(t, err, "does not accept the user's token", "az login --tenant "+akstest.TenantID)
	})
	t.Run("a user whom Azure refuses is no administrator", func(t *testing.T) {
		a.server.ListClusterUserCredentials = func(context.Context, string, string, *armcontainerservice.ManagedClustersClientListClusterUserCredentialsOptions) (_ azfake.Responder[armcontainerservice.ManagedClustersClientListClusterUserCredentialsResponse], refused azfake.ErrorResponder) {
			refused.SetResponseError(http.StatusForbidden, "AuthorizationFailed")
			return
		}
		_, err := a.provider(t, e.identity(t), filepath.Join(t.TempDir(), "kubeconfig")).Find(t.Context())
		expect(t, err, "", `az role assignment create --role 'Azure Kubernetes Service Cluster User Role'`)
	})
	if a.admin != 0 {
		t.Errorf("Azure was asked %d times for the credentials of an administrator", a.admin)
	}
}

func expect(t *testing.T, err error, text, hint string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("got %v (hint %q), want %q (hint %q)", err, fault.HintOf(err), text, hint)
	}
	if err != nil && strings.Contains(err.Error(), "\n") {
		t.Errorf("more than a line: %v", err)
	}
}
