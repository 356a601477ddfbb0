package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	rolesfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	registriesfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6"
	clustersfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6/fake"

	"zr/internal/lab"
	"zr/pkg/cluster/aks/akstest"
)

// The names of Azure's servers, as zr has them built in. Behind a proxy they are
// this test's.
const (
	azureLogin    = "login.microsoftonline.com"
	azureARM      = "management.azure.com"
	azureRegistry = "team.azurecr.io"
)

// azure is Azure as far as zr knows it: the resource manager (the SDK's own fake),
// Entra ID and a registry. A zr with env reaches these in its place, and nothing else
// beyond this machine.
type azure struct {
	*akstest.Entra
	registry *akstest.Registry
	attached atomic.Bool // whether the nodes have the right to pull
	env      []string
	ca       []byte // of what all servers show
}

// newAzure serves on the loopback and on gateway, the address by which nodes reach
// this machine. server and serverCA are those of the API server.
func newAzure(t *testing.T, gateway, server, serverCA string) *azure {
	t.Helper()
	a := &azure{Entra: akstest.NewEntra(t)}
	a.registry = akstest.NewRegistry(azureRegistry, a.Entra, func(who, _ string) bool { return who != "reader@example.com" })
	manager := a.resourceManager(server, serverCA)
	certificate, ca := selfSigned(t, gateway)
	a.ca = ca

	secure := listen(t, net.JoinHostPort(gateway, "0"))
	a.Issuer = "https://" + secure.Addr().String()
	mux := http.NewServeMux()
	mux.Handle(azureLogin+"/", a.Entra)
	mux.Handle(gateway+"/", a.Entra)
	mux.Handle(azureRegistry+"/", a.registry)
	mux.Handle(azureARM+"/", manager)
	serve(t, mux, tls.NewListener(secure, &tls.Config{Certificates: []tls.Certificate{certificate}}))

	proxy := listen(t, "127.0.0.1:0")
	serve(t, tunnel(secure.Addr().String()), proxy)
	file := filepath.Join(t.TempDir(), "azure.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	a.env = []string{"HTTPS_PROXY=http://" + proxy.Addr().String(), "NO_PROXY=", "SSL_CERT_FILE=" + file, "SSL_CERT_DIR=" + t.TempDir()}
	return a
}

// as is the environment of an application that signs in to Azure, whom API servers
// know as <name>@example.com.
func (a *azure) as(name string) []string {
	return append([]string{"AZURE_TENANT_ID=" + akstest.TenantID, "AZURE_CLIENT_ID=" + name, "AZURE_CLIENT_SECRET=secret"}, a.env...)
}

// resourceManager is the SDK's fake, which asks for a token as the real one does.
func (a *azure) resourceManager(server, serverCA string) http.Handler {
	const registryID = "/subscriptions/subscription/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/team"
	clusters := clustersfake.ManagedClustersServer{
		ListClusterUserCredentials: func(_ context.Context, group, name string, _ *armcontainerservice.ManagedClustersClientListClusterUserCredentialsOptions) (resp azfake.Responder[armcontainerservice.ManagedClustersClientListClusterUserCredentialsResponse], refused azfake.ErrorResponder) {
			if group != "group" || name != "team" {
				refused.SetResponseError(http.StatusNotFound, "ResourceNotFound")
				return
			}
			resp.SetResponse(http.StatusOK, armcontainerservice.ManagedClustersClientListClusterUserCredentialsResponse{CredentialResults: armcontainerservice.CredentialResults{
				Kubeconfigs: []*armcontainerservice.CredentialResult{{Name: to.Ptr("clusterUser"), Value: fmt.Appendf(nil, userKubeconfig, server, serverCA, akstest.ServerID, akstest.TenantID)}},
			}}, nil)
			return
		},
		Get: func(context.Context, string, string, *armcontainerservice.ManagedClustersClientGetOptions) (resp azfake.Responder[armcontainerservice.ManagedClustersClientGetResponse], _ azfake.ErrorResponder) {
			resp.SetResponse(http.StatusOK, armcontainerservice.ManagedClustersClientGetResponse{ManagedCluster: armcontainerservice.ManagedCluster{Properties: &armcontainerservice.ManagedClusterProperties{
				IdentityProfile: map[string]*armcontainerservice.UserAssignedIdentity{"kubeletidentity": {ObjectID: to.Ptr("kubelets")}},
			}}}, nil)
			return
		},
	}
	registries := registriesfake.RegistriesServer{NewListPager: func(*armcontainerregistry.RegistriesClientListOptions) (resp azfake.PagerResponder[armcontainerregistry.RegistriesClientListResponse]) {
		resp.AddPage(http.StatusOK, armcontainerregistry.RegistriesClientListResponse{RegistryListResult: armcontainerregistry.RegistryListResult{Value: []*armcontainerregistry.Registry{
			{ID: to.Ptr(registryID), Properties: &armcontainerregistry.RegistryProperties{LoginServer: to.Ptr(azureRegistry)}},
		}}}, nil)
		return
	}}
	roles := rolesfake.RoleAssignmentsServer{NewListForScopePager: func(string, *armauthorization.RoleAssignmentsClientListForScopeOptions) (resp azfake.PagerResponder[armauthorization.RoleAssignmentsClientListForScopeResponse]) {
		var found armauthorization.RoleAssignmentListResult
		if a.attached.Load() {
			const acrPull = "/subscriptions/subscription/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"
			found.Value = append(found.Value, &armauthorization.RoleAssignment{Properties: &armauthorization.RoleAssignmentProperties{RoleDefinitionID: to.Ptr(acrPull)}})
		}
		resp.AddPage(http.StatusOK, armauthorization.RoleAssignmentsClientListForScopeResponse{RoleAssignmentListResult: found}, nil)
		return
	}}
	calls := []struct {
		path string // how it ends
		call string // as the SDK names it to its fakes, since they are asked in process
		fake policy.Transporter
	}{
		{"/listClusterUserCredential", "ManagedClustersClient.ListClusterUserCredentials", clustersfake.NewManagedClustersServerTransport(&clusters)},
		{"/managedClusters/team", "ManagedClustersClient.Get", clustersfake.NewManagedClustersServerTransport(&clusters)},
		{"Microsoft.Authorization/roleAssignments", "RoleAssignmentsClient.NewListForScopePager", rolesfake.NewRoleAssignmentsServerTransport(&roles)},
		{"/registries", "RegistriesClient.NewListPager", registriesfake.NewRegistriesServerTransport(&registries)},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, _, err := a.Verify(token, a.Issuer, "https://management.core.windows.net/"); err != nil {
			w.Header().Set("x-ms-error-code", "InvalidAuthenticationToken")
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		for _, one := range calls {
			if strings.HasSuffix(r.URL.Path, one.path) {
				asked := r.Clone(context.WithValue(r.Context(), runtime.CtxAPINameKey{}, one.call))
				asked.URL.Scheme, asked.URL.Host = "https", azureARM
				forward(w, asked, one.fake)
				return
			}
		}
		http.NotFound(w, r)
	})
}

const userKubeconfig = `{apiVersion: v1, kind: Config, current-context: team,
clusters: [{name: team, cluster: {server: %q, certificate-authority-data: %s}}],
contexts: [{name: team, context: {cluster: team, user: clusterUser_group_team}}],
users: [{name: clusterUser_group_team, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: kubelogin, env: null, provideClusterInfo: false,
  args: [get-token, --environment, AzurePublicCloud, --server-id, %s, --client-id, other, --tenant-id, %s, --login, devicecode]}}}]}`

// forward answers a request by one of the SDK's fakes.
func forward(w http.ResponseWriter, r *http.Request, fake policy.Transporter) {
	resp, err := fake.Do(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer resp.Body.Close()
	for key, values := range resp.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// tunnel is a proxy that leads to one address, for the names of Azure's servers. It
// leads nowhere for others.
func tunnel(address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host)
		if r.Method != http.MethodConnect || host != azureLogin && host != azureARM && host != azureRegistry {
			http.Error(w, "this leads to Azure only", http.StatusBadGateway)
			return
		}
		there, err := net.Dial("tcp", address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		here, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			there.Close()
			return
		}
		go func() {
			_, _ = io.Copy(there, buffered)
			there.Close()
		}()
		_, _ = io.Copy(here, there)
		here.Close()
	})
}

// selfSigned is a certificate for Azure's names and an address.
func selfSigned(t *testing.T, address string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Azure of a test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames: []string{azureLogin, azureARM, azureRegistry}, IPAddresses: []net.IP{net.ParseIP(address)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serve(t *testing.T, handler http.Handler, listeners ...net.Listener) {
	t.Helper()
	server := &http.Server{Handler: handler}
	t.Cleanup(func() { server.Close() })
	for _, l := range listeners {
		go func() { _ = server.Serve(l) }()
	}
}

// trustIn has the API server of a cluster accept the tokens of Azure's users, and
// waits until it does.
func (a *azure) trustIn(t *testing.T, p *lab.Project, server string) {
	t.Helper()
	const manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml"
	p.InNode("sh", "-c", "cat > /etc/kubernetes/pki/entra.pem <<'END'\n"+string(a.ca)+"END\n")
	flags := ""
	for _, flag := range []string{"issuer-url=" + a.Issuer, "client-id=" + akstest.ServerID, "ca-file=/etc/kubernetes/pki/entra.pem", "username-claim=sub", "username-prefix=-"} {
		flags += `\n    - --oidc-` + flag
	}
	// The kubelet starts it again when the file has changed.
	p.InNode("sh", "-c", "sed 's|^    - kube-apiserver$|&"+flags+"|' "+manifest+" > /tmp/kube-apiserver.yaml && mv /tmp/kube-apiserver.yaml "+manifest)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	lab.Eventually(t, "the API server that knows Entra ID", func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+a.Sign(a.Issuer, akstest.ServerID, "anybody", "", time.Minute))
		resp, err := client.Do(req)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		var said bytes.Buffer
		_, _ = said.ReadFrom(resp.Body)
		if resp.StatusCode != http.StatusOK {
			return resp.Status + said.String()
		}
		return ""
	})
}

// attach lets the nodes pull from the registry, as the one of Azure's that is
// attached to a cluster: they have an identity of their own there.
func (a *azure) attach(t *testing.T, gateway string, nodes ...string) {
	t.Helper()
	plain := listen(t, net.JoinHostPort(gateway, "0"))
	serve(t, a.registry, plain)
	address := "http://" + plain.Addr().String()
	hosts := fmt.Sprintf("server = %q\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n  [host.%q.header]\n    Authorization = \"Bearer %s\"\n",
		address, address, address, a.registry.Access("kubelets", "repository:*:pull", time.Hour))
	pullBy(t, nodes, azureRegistry, hosts)
	a.attached.Store(true)
}
