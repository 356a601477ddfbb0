// Package acr signs in to an Azure Container Registry as somebody in Entra ID:
// the registry exchanges their token for one of its own.
package acr

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"zr/pkg/fault"
	"zr/pkg/image"
)

// Scope is what a token has to be for, that a registry exchanges.
const Scope = "https://containerregistry.azure.net/.default"

// Is says whether a repository or registry, such as team.azurecr.io/shop, is one
// of Azure's public cloud.
func Is(repository string) bool {
	host, _, _ := strings.Cut(repository, "/")
	return strings.HasSuffix(host, ".azurecr.io")
}

// PushHint is the command that lets somebody push to a registry.
func PushHint(repository string) string {
	host, _, _ := strings.Cut(repository, "/")
	short, _, _ := strings.Cut(host, ".")
	short, _, _ = strings.Cut(short, "-") // what follows is of the address alone: a name has no "-"
	return fmt.Sprintf("have somebody who may grant the right run `az role assignment create --role AcrPush --assignee YOU --scope \"$(az acr show -n %s --query id -o tsv)\"`", short)
}

// Registry is how requests are made to a registry, at host, as the owner of the tokens that
// token returns for Scope. Other registries get the credentials of the engines'
// configuration files.
func Registry(host string, token func(context.Context) (string, error)) image.Registry {
	return image.Registry{Denied: PushHint(host), Keychain: &Keychain{Host: host, Token: token, Next: authn.DefaultKeychain}}
}

// lifetime is how long an exchanged token is used. The registry gives it three
// hours.
const lifetime = time.Hour

// Keychain holds the credentials of one registry, and those of next for all
// others. It is safe for concurrent use.
type Keychain struct {
	// Host is that of the registry. No other is sent a token.
	Host string
	// Token returns a token of Entra ID for Scope.
	Token func(context.Context) (string, error)
	// Next has the credentials of other registries.
	Next authn.Keychain

	mu      sync.Mutex
	refresh string
	until   time.Time
}

// Resolve returns the credentials of a registry.
func (k *Keychain) Resolve(resource authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), resource)
}

// ResolveContext returns the credentials of a registry. The registry is asked
// where they are missing or old.
func (k *Keychain) ResolveContext(ctx context.Context, resource authn.Resource) (authn.Authenticator, error) {
	if resource.RegistryStr() != k.Host {
		return authn.Resolve(ctx, k.Next, resource)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refresh == "" || time.Now().After(k.until) {
		token, err := k.Token(ctx)
		if err != nil {
			return nil, err
		}
		refresh, err := k.exchange(ctx, token)
		if err != nil {
			return nil, fmt.Errorf("signing in to registry %q: %w", k.Host, err)
		}
		k.refresh, k.until = refresh, time.Now().Add(lifetime)
	}
	return authn.FromConfig(authn.AuthConfig{IdentityToken: k.refresh}), nil
}

// exchange asks the registry for a refresh token of its own.
func (k *Keychain) exchange(ctx context.Context, token string) (string, error) {
	registry, err := name.NewRegistry(k.Host)
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"access_token"}, "service": {k.Host}, "access_token": {token}}
	address := url.URL{Scheme: registry.Scheme(), Host: k.Host, Path: "/oauth2/exchange"}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	var answer struct {
		RefreshToken string `json:"refresh_token"`
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return "", fault.Hint(fmt.Errorf("it does not know who is signed in to Azure (%s)", resp.Status), PushHint(k.Host))
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("exchanging the token: %s", resp.Status)
	case json.Unmarshal(body, &answer) != nil || answer.RefreshToken == "":
		return "", fmt.Errorf("exchanging the token: the answer holds no token")
	}
	return answer.RefreshToken, nil
}
