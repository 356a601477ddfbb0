package image

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// nothing is a digest that no manifest has.
const nothing = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// Readable asks the registry of a repository whether it lets somebody pull from there:
// who has the credentials, or anybody where they are empty. The transport of r is used,
// and none of its credentials.
func (r Registry) Readable(ctx context.Context, repository string, as Credentials) (bool, error) {
	repo, err := name.NewRepository(repository, name.WeakValidation)
	if err != nil {
		return false, err
	}
	r.Keychain = as
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

// Credentials are somebody's in every registry; the zero value is nobody's.
type Credentials authn.AuthConfig

// Resolve returns them.
func (c Credentials) Resolve(authn.Resource) (authn.Authenticator, error) {
	if c == (Credentials{}) {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig(c)), nil
}

// PullCredentials returns the credentials that kubelets take from the text of a docker
// config file for a repository, in the order in which they try them. There are none
// where the file says nothing of it.
func PullCredentials(dockerConfig []byte, repository string) ([]Credentials, error) {
	var file struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	if json.Unmarshal(dockerConfig, &file) != nil { // whose error may quote them
		return nil, fmt.Errorf("reading the credentials for %q: they are not the JSON of a docker config file", repository)
	}
	type entry struct {
		key  string
		auth authn.AuthConfig
	}
	var entries []entry
	for server, auth := range file.Auths {
		if key, ok := pullKey(server); ok {
			entries = append(entries, entry{key, auth})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(b.key, a.key) })
	var found, docker []Credentials
	for _, e := range entries {
		if pullKeyMatches(e.key, repository) {
			found = append(found, Credentials(e.auth))
		}
		if e.key == name.DefaultRegistry {
			docker = append(docker, Credentials(e.auth))
		}
	}
	if repo, err := name.NewRepository(repository, name.WeakValidation); len(found) == 0 && err == nil && repo.RegistryStr() == name.DefaultRegistry {
		return docker, nil
	}
	return found, nil
}

// pullKey is what a kubelet makes of the name of a server in a docker config file: a host,
// maybe with a port, and the beginning of the repositories that are meant.
func pullKey(server string) (key string, ok bool) {
	if !strings.HasPrefix(server, "https://") && !strings.HasPrefix(server, "http://") {
		server = "https://" + server
	}
	at, err := url.Parse(server)
	if err != nil {
		return "", false
	}
	if strings.HasPrefix(at.Path, "/v1/") || strings.HasPrefix(at.Path, "/v2/") {
		at.Path = at.Path[len("/v1"):]
	}
	return at.Host + strings.TrimSuffix(at.Path, "/"), true
}

// pullKeyMatches says whether a kubelet takes an entry for a repository. Each part of its
// host may be a pattern.
func pullKeyMatches(key, repository string) bool {
	keyHost, keyPath, _ := strings.Cut(key, "/")
	host, rest, _ := strings.Cut(repository, "/")
	keyHost, keyPort, _ := strings.Cut(keyHost, ":")
	host, port, _ := strings.Cut(host, ":")
	patterns, parts := strings.Split(keyHost, "."), strings.Split(host, ".")
	if keyPort != port || len(patterns) != len(parts) || !strings.HasPrefix(rest, keyPath) {
		return false
	}
	for n, pattern := range patterns {
		if ok, err := path.Match(pattern, parts[n]); !ok || err != nil {
			return false
		}
	}
	return true
}
