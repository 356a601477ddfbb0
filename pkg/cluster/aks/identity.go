package aks

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// IdentityOptions say who signs in.
type IdentityOptions struct {
	// Tenant is the id or domain of the Entra ID tenant. Default: that of whoever
	// is signed in.
	Tenant string
	// Prompt tells a person which code to type where. Without it nobody is asked.
	Prompt func(text string)
	// Client are the options of requests to Entra ID. The zero value is the public cloud.
	Client azcore.ClientOptions
	// Credential replaces what is looked for on this machine.
	Credential azcore.TokenCredential
}

// Identity is who zr is in Azure: what the environment names, a workload or
// managed identity, who is signed in to the Azure CLI or Developer CLI, in this
// order, and otherwise, where there is somebody to ask, who types a device code.
// It is safe for concurrent use.
type Identity struct {
	opts IdentityOptions
	find func() (azcore.TokenCredential, error)

	mu     sync.Mutex
	tokens map[Login]token
	busy   map[Login]chan struct{} // holds a token while somebody asks for one
}

// Login is what to sign in to.
type Login struct {
	Scope  string // such as <application id>/.default
	Tenant string // empty: the identity's own
}

type token struct {
	value          string
	renew, expires time.Time
}

// NewIdentity returns an identity. It does no I/O.
func NewIdentity(opts IdentityOptions) *Identity {
	i := &Identity{opts: opts, tokens: map[Login]token{}, busy: map[Login]chan struct{}{}}
	i.find = sync.OnceValues(i.credential)
	return i
}

// credential looks for how to sign in.
func (i *Identity) credential() (azcore.TokenCredential, error) {
	if i.opts.Credential != nil {
		return i.opts.Credential, nil
	}
	here, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: i.opts.Client, TenantID: i.opts.Tenant,
		AdditionallyAllowedTenants: []string{"*"}, // a cluster's tenant is not always the user's first
	})
	if err != nil || i.opts.Prompt == nil {
		return here, err
	}
	person, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: i.opts.Client, TenantID: i.opts.Tenant, AdditionallyAllowedTenants: []string{"*"},
		UserPrompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			i.opts.Prompt(message.Message)
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return azidentity.NewChainedTokenCredential([]azcore.TokenCredential{here, person}, nil)
}

// GetToken makes an Identity what the SDK signs its requests with.
func (i *Identity) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	credential, err := i.find()
	if err != nil {
		return azcore.AccessToken{}, misconfigured(err)
	}
	return credential.GetToken(ctx, options)
}

// Token returns a token for a login that is valid now and is not refused, the
// one that a server did not accept. A token is renewed before it expires; where
// that fails, the old one is used up first.
func (i *Identity) Token(ctx context.Context, login Login, refused string) (string, error) {
	release, err := i.alone(ctx, login)
	if err != nil {
		return "", err
	}
	defer release()
	i.mu.Lock()
	held, now := i.tokens[login], time.Now()
	i.mu.Unlock()
	if held.value != refused && now.Before(held.renew) {
		return held.value, nil
	}
	fresh, err := i.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{login.Scope}, TenantID: login.Tenant})
	if err != nil {
		if held.value != "" && held.value != refused && time.Now().Before(held.expires) {
			return held.value, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("signing in to Azure: %w", explainSignIn(err, login.Tenant))
	}
	next := token{value: fresh.Token, expires: fresh.ExpiresOn, renew: fresh.RefreshOn}
	if next.renew.IsZero() {
		next.renew = next.expires.Add(-min(renewAhead, next.expires.Sub(now)/4))
	}
	i.mu.Lock()
	i.tokens[login] = next
	i.mu.Unlock()
	return next.value, nil
}

// renewAhead is how long before its end a token is renewed: longer than any
// request of zr's takes, and than clocks usually differ.
const renewAhead = 5 * time.Minute

// alone has one goroutine at a time ask for a token; az takes a second for one.
func (i *Identity) alone(ctx context.Context, login Login) (release func(), err error) {
	i.mu.Lock()
	busy := i.busy[login]
	if busy == nil {
		busy = make(chan struct{}, 1)
		i.busy[login] = busy
	}
	i.mu.Unlock()
	select {
	case busy <- struct{}{}:
		return func() { <-busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
