package image

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Local is the registry part of the names of images that exist on this
// machine and its nodes only. Engines and containerd never pull from it.
const Local = "localhost"

// Normalize returns the full name under which containerd and the kubelet know
// ref: with registry and namespace, and with a tag or a digest. A tag beside a
// digest is dropped, as they do.
func Normalize(ref string) (string, error) {
	r, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil {
		return "", fmt.Errorf("parsing image reference %q: %w", ref, err)
	}
	return normalized(r), nil
}

// normalized is Normalize for a parsed reference. The library names the
// default registry by its host "index.<name>"; images go by <name> alone.
func normalized(r name.Reference) string {
	full := r.Name()
	if repo := r.Context(); repo.RegistryStr() == name.DefaultRegistry {
		return strings.TrimPrefix(full, "index.")
	}
	return full
}

// Pin returns the name of one very image: repository@digest. The repository
// may carry a tag, which is dropped.
func Pin(repository string, digest v1.Hash) (string, error) {
	full, err := Normalize(repository)
	if err != nil {
		return "", err
	}
	return repositoryOf(full) + "@" + digest.String(), nil
}

// LocalName returns the repository of a service that zr built for a node of
// this machine: localhost/<project>/<service>.
func LocalName(project, service string) string {
	return Local + "/" + project + "/" + service
}

// repositoryOf cuts tag and digest off a normalized name.
func repositoryOf(full string) string {
	full, _, _ = strings.Cut(full, "@")
	if colon := strings.LastIndexByte(full, ':'); colon > strings.LastIndexByte(full, '/') {
		return full[:colon]
	}
	return full
}

// digestOf returns the digest that a name carries.
func digestOf(full string) (v1.Hash, bool) {
	_, digest, found := strings.Cut(full, "@")
	if !found {
		return v1.Hash{}, false
	}
	h, err := v1.NewHash(digest)
	return h, err == nil
}

// repositoryIsLocal reports whether no registry can have the image.
func repositoryIsLocal(full string) bool { return strings.HasPrefix(full, Local+"/") }
