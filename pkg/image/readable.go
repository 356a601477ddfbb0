package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// nothing is a digest that no manifest has.
const nothing = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// Readable asks the registry of a repository whether it lets somebody pull from there.
// That is who has the credentials of a docker config file, of which the text is given.
// It is anybody at all where that is nil or says nothing of this registry. The
// transport of r is used, and none of its credentials.
func (r Registry) Readable(ctx context.Context, repository string, dockerConfig []byte) (bool, error) {
	repo, err := name.NewRepository(repository, name.WeakValidation)
	if err != nil {
		return false, err
	}
	r.Keychain, err = keychainOf(dockerConfig)
	if err != nil {
		return false, fmt.Errorf("reading the credentials for %q: %w", repository, err)
	}
	_, err = remote.Head(repo.Digest(nothing), r.options(ctx)...)
	var said *transport.Error
	switch {
	case denied(err):
		return false, nil
	case err == nil, errors.As(err, &said) && said.StatusCode == http.StatusNotFound:
		return true, nil // it may be asked for what is not there
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	}
	return false, fmt.Errorf("asking the registry of %q: %w", repository, err)
}

// configKeychain is the part of a docker config file that kubelets read.
type configKeychain struct {
	Auths map[string]authn.AuthConfig `json:"auths"`
}

func keychainOf(dockerConfig []byte) (authn.Keychain, error) {
	k := configKeychain{}
	if len(dockerConfig) == 0 {
		return k, nil
	}
	if json.Unmarshal(dockerConfig, &k) != nil { // whose error may quote them
		return nil, errors.New("they are not the JSON of a docker config file")
	}
	return k, nil
}

// Resolve returns the credentials of a registry.
func (k configKeychain) Resolve(resource authn.Resource) (authn.Authenticator, error) {
	for server, auth := range k.Auths {
		_, host, found := strings.Cut(server, "://")
		if !found {
			host = server
		}
		if host, _, _ = strings.Cut(host, "/"); host == resource.RegistryStr() {
			return authn.FromConfig(auth), nil
		}
	}
	return authn.Anonymous, nil
}
