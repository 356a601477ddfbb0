// Package akstest gives tests the parts of Azure that no SDK has a fake of: an
// issuer of tokens like Entra ID, and a registry that exchanges them.
package akstest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	TenantID = "11111111-1111-1111-1111-111111111111"
	UserCode = "ABCD-1234" // that a person types to sign in as Person
	Person   = "person@example.com"
	ServerID = "6dae42f8-4368-4678-94ff-3960e28e3630" // of every AKS cluster with Entra ID
)

// Entra is an issuer of OpenID Connect tokens with the token endpoint of Entra
// ID. Its tokens are signed, and API servers accept them. An application that signs
// in is the user <client id>@example.com, and who types a device code is Person. It is
// an http.Handler, for TLS only, and safe for concurrent use.
type Entra struct {
	// Issuer is the URL by which API servers find it. It is set before it serves.
	Issuer string

	key *rsa.PrivateKey
	mux http.ServeMux

	mu     sync.Mutex
	rules  Rules
	issued map[string]int
}

// Rules are how an Entra answers.
type Rules struct {
	Lifetime time.Duration // of its tokens
	Audience string        // of its tokens, in place of what was asked for
	Refusal  string        // in place of a token
	// Assertion is what applications have to show; empty: they need to show nothing.
	Assertion string
}

// NewEntra returns an issuer of tokens that last an hour.
func NewEntra(t *testing.T) *Entra {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e := &Entra{key: key, rules: Rules{Lifetime: time.Hour}, issued: map[string]int{}}
	document := func(issuer func(*http.Request) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			here := "https://" + r.Host
			answer(w, http.StatusOK, map[string]any{
				"issuer": issuer(r), "jwks_uri": here + "/keys", "response_types_supported": []string{"id_token"},
				"authorization_endpoint": here + "/" + TenantID + "/authorize", "token_endpoint": here + "/" + TenantID + "/token",
				"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
			})
		}
	}
	e.mux.HandleFunc("GET /.well-known/openid-configuration", document(func(*http.Request) string { return e.Issuer }))
	e.mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", document(func(r *http.Request) string {
		return "https://" + r.Host + "/" + TenantID + "/v2.0"
	}))
	e.mux.HandleFunc("GET /common/discovery/instance", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]any{
			"tenant_discovery_endpoint": "https://" + r.Host + "/" + TenantID + "/v2.0/.well-known/openid-configuration",
			"metadata":                  []any{map[string]any{"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host}}},
		})
	})
	e.mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	e.mux.HandleFunc("POST /{tenant}/token", e.token)
	e.mux.HandleFunc("POST /{tenant}/devicecode", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]any{
			"device_code": r.PostFormValue("client_id"), "user_code": UserCode, "verification_uri": "https://" + r.Host + "/device", "expires_in": 900, "interval": 1,
			"message": "To sign in, open https://" + r.Host + "/device and enter the code " + UserCode,
		})
	})
	return e
}

func (e *Entra) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.mux.ServeHTTP(w, r) }

func (e *Entra) token(w http.ResponseWriter, r *http.Request) {
	client, scopes := r.PostFormValue("client_id"), strings.Fields(r.PostFormValue("scope"))
	subject := client + "@example.com"
	if r.PostFormValue("device_code") != "" {
		subject = Person
	}
	e.mu.Lock()
	rules := e.rules
	if rules.Assertion != "" && r.PostFormValue("client_assertion") != rules.Assertion {
		rules.Refusal = "AADSTS700024: Client assertion is not within its valid time range."
	}
	if rules.Refusal == "" {
		e.issued[client]++
	}
	e.mu.Unlock()
	if rules.Refusal != "" {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": rules.Refusal + "\r\nTrace ID: 1"})
		return
	}
	audience := rules.Audience
	for _, scope := range scopes {
		if of, ok := strings.CutSuffix(scope, "/.default"); ok && audience == "" {
			audience = of
		}
	}
	answer(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": int(rules.Lifetime.Seconds()), "access_token": e.Sign(e.Issuer, audience, subject, "", rules.Lifetime),
	})
}

// Set changes how it answers from now on.
func (e *Entra) Set(change func(*Rules)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.rules)
}

// Issued returns how many tokens an application got.
func (e *Entra) Issued(client string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.issued[client]
}

// claims are those of its tokens. Scope is what a registry lets its holder do.
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Scope    string `json:"scope,omitempty"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
	ID       string `json:"jti"`
}

// Sign returns a token.
func (e *Entra) Sign(issuer, audience, subject, scope string, lifetime time.Duration) string {
	now := time.Now()
	header, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": "1", "typ": "JWT"})
	body, _ := json.Marshal(claims{issuer, audience, subject, scope, now.Add(lifetime).Unix(), now.Unix(), rand.Text()})
	text := encode(header) + "." + encode(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, e.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + encode(signature)
}

// Verify returns whom a token names, and what it lets them do, if it is one that
// Sign made for this issuer and audience and that has not expired.
func (e *Entra) Verify(token, issuer, audience string) (subject, scope string, err error) {
	text, signature := cutLast(token, ".")
	sum := sha256.Sum256([]byte(text))
	signed, err := base64.RawURLEncoding.DecodeString(signature)
	if err == nil {
		err = rsa.VerifyPKCS1v15(&e.key.PublicKey, crypto.SHA256, sum[:], signed)
	}
	if err != nil {
		return "", "", fmt.Errorf("its signature: %w", err)
	}
	_, body := cutLast(text, ".")
	var c claims
	decoded, err := base64.RawURLEncoding.DecodeString(body)
	if err == nil {
		err = json.Unmarshal(decoded, &c)
	}
	switch {
	case err != nil:
		return "", "", err
	case c.Issuer != issuer || c.Audience != audience:
		return "", "", fmt.Errorf("it is of %q for %q", c.Issuer, c.Audience)
	case time.Now().After(time.Unix(c.Expires, 0)):
		return "", "", errors.New("it has expired")
	}
	return c.Subject, c.Scope, nil
}

// cutLast cuts s around the last sep; without one it is all before.
func cutLast(s, sep string) (before, after string) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):]
	}
	return s, ""
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
