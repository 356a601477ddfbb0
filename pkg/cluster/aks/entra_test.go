package aks

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const (
	tenantID = "11111111-1111-1111-1111-111111111111"
	serverID = "6dae42f8-4368-4678-94ff-3960e28e3630" // of every AKS cluster with Entra ID
)

// entra is an issuer of OpenID Connect tokens with the token endpoint of Entra
// ID. Its tokens are signed, and API servers accept them.
type entra struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu       sync.Mutex
	lifetime time.Duration
	audience string
	refusal  string // what it answers in place of a token
	issued   int
}

func newEntra(t *testing.T) *entra {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e := &entra{key: key, lifetime: time.Hour, audience: serverID}
	mux := http.NewServeMux()
	document := func(issuer string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, map[string]any{
				"issuer": e.URL + issuer, "jwks_uri": e.URL + "/keys", "response_types_supported": []string{"id_token"},
				"authorization_endpoint": e.URL + "/" + tenantID + "/authorize", "token_endpoint": e.URL + "/" + tenantID + "/token",
				"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
			})
		}
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", document(""))
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", document("/"+tenantID+"/v2.0"))
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /{tenant}/token", e.token)
	e.Server = httptest.NewTLSServer(mux)
	t.Cleanup(e.Close)
	return e
}

func (e *entra) token(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refusal != "" {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": e.refusal + "\r\nTrace ID: 1"})
		return
	}
	e.issued++
	now := time.Now()
	answer(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": int(e.lifetime.Seconds()), "access_token": e.sign(map[string]any{
			"iss": e.URL, "aud": e.audience, "sub": "dev@example.com", "exp": now.Add(e.lifetime).Unix(), "iat": now.Unix(), "jti": fmt.Sprint(e.issued),
		}),
	})
}

func (e *entra) sign(claims map[string]any) string {
	header, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": "1", "typ": "JWT"})
	body, _ := json.Marshal(claims)
	text := encode(header) + "." + encode(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, e.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + encode(signature)
}

// set changes how it answers from now on.
func (e *entra) set(change func(*entra)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(e)
}

func (e *entra) tokens() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.issued
}

// apiServerFlags have an API server accept its tokens.
func (e *entra) apiServerFlags(t *testing.T) []string {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--oidc-issuer-url", e.URL, "--oidc-client-id", serverID, "--oidc-ca-file", ca, "--oidc-username-claim", "sub", "--oidc-username-prefix", "-"}
}

// identity is an application with a secret, which the SDK signs in with.
func (e *entra) identity(t *testing.T) *Identity {
	t.Helper()
	credential, err := azidentity.NewClientSecretCredential(tenantID, "application", "secret", &azidentity.ClientSecretCredentialOptions{
		DisableInstanceDiscovery: true, AdditionallyAllowedTenants: []string{"*"},
		ClientOptions: azcore.ClientOptions{Transport: e.Client(), Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: e.URL + "/"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return NewIdentity(IdentityOptions{Tenant: tenantID, Credential: credential})
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
