package aks

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"zr/pkg/cluster/aks/akstest"
)

// entra is an issuer of tokens that listens.
type entra struct {
	*akstest.Entra
	server *httptest.Server
}

func newEntra(t *testing.T) entra {
	t.Helper()
	e := entra{Entra: akstest.NewEntra(t)}
	e.server = httptest.NewUnstartedServer(e)
	e.Issuer = "https://" + e.server.Listener.Addr().String()
	e.server.StartTLS()
	t.Cleanup(e.server.Close)
	return e
}

// apiServerFlags have an API server accept its tokens.
func (e entra) apiServerFlags(t *testing.T) []string {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--oidc-issuer-url", e.Issuer, "--oidc-client-id", akstest.ServerID, "--oidc-ca-file", ca, "--oidc-username-claim", "sub", "--oidc-username-prefix", "-"}
}

// identity is an application with a secret, which the SDK signs in with.
func (e entra) identity(t *testing.T) *Identity {
	t.Helper()
	credential, err := azidentity.NewClientSecretCredential(akstest.TenantID, "dev", "secret", &azidentity.ClientSecretCredentialOptions{
		DisableInstanceDiscovery: true, AdditionallyAllowedTenants: []string{"*"},
		ClientOptions: azcore.ClientOptions{Transport: e.server.Client(), Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: e.Issuer + "/"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return NewIdentity(IdentityOptions{Tenant: akstest.TenantID, Credential: credential})
}
