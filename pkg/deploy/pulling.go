package deploy

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
)

// PullSecret is what the kubelet signs in to registries with for the pods of a
// workload.
type PullSecret struct {
	Name     string
	Workload string // kind and name of one that has it
	// Config is the text of a docker config file: never print it. It is nil where
	// there is no such Secret.
	Config []byte
}

// Pulled says whether the nodes have pulled an image from below a path of a registry for a
// pod that is in the namespace now. Who may not see pods is told that none has. An image
// of others in that registry proves nothing: it may be one that anybody may read.
func (d *Deployer) Pulled(ctx context.Context, namespace, path string) (bool, error) {
	pods, err := d.list(ctx, manifest.PodKind, namespace, "")
	if apierrors.IsForbidden(err) {
		return false, nil
	}
	if err != nil {
		return false, d.reachable(err)
	}
	return slices.ContainsFunc(pods, func(pod unstructured.Unstructured) bool {
		return slices.ContainsFunc(manifest.Items(manifest.At(pod.Object, "status"), "containerStatuses"), func(c map[string]any) bool {
			return manifest.Text(c, "imageID") != "" && strings.HasPrefix(manifest.Text(c, "image"), path+"/")
		})
	}), nil
}

// PullSecrets returns the Secrets with which images are pulled for the pods of
// what is rendered that run an image of zr's: those that the pods name, or else
// their service accounts. The error is apierrors.IsForbidden where the user may
// not see them.
func (d *Deployer) PullSecrets(ctx context.Context, r *render.Rendered) ([]PullSecret, error) {
	var found []PullSecret
	for _, o := range r.Objects {
		spec := manifest.At(manifest.PodTemplate(o.Unstructured), "spec")
		built := slices.ContainsFunc(o.Images, r.Builds)
		if spec == nil || !built {
			continue
		}
		names := manifest.Items(spec, "imagePullSecrets")
		if len(names) == 0 { // which the server takes from the account in that case
			account, err := d.ofAnyAge(ctx, r, manifest.ServiceAccountKind, o.GetNamespace(), cmp.Or(manifest.Text(spec, "serviceAccountName"), "default"))
			if err != nil {
				return nil, err
			}
			names = manifest.Items(account, "imagePullSecrets")
		}
		for _, ref := range names {
			s := PullSecret{Name: manifest.Text(ref, "name"), Workload: manifest.Name(o.Unstructured)}
			if slices.ContainsFunc(found, func(other PullSecret) bool { return other.Name == s.Name }) {
				continue
			}
			secret, err := d.ofAnyAge(ctx, r, manifest.SecretKind, o.GetNamespace(), s.Name)
			if err != nil {
				return nil, err
			}
			if s.Config, err = dockerConfig(secret); err != nil {
				return nil, fmt.Errorf("reading Secret %q: %w", s.Name, err)
			}
			found = append(found, s)
		}
	}
	return found, nil
}

// PullSecretNames are the Secrets that pods of what is rendered name to pull images of
// zr's with.
func PullSecretNames(r *render.Rendered) (names []string) {
	for _, o := range r.Objects {
		if !slices.ContainsFunc(o.Images, r.Builds) {
			continue
		}
		for _, ref := range manifest.Items(manifest.At(manifest.PodTemplate(o.Unstructured), "spec"), "imagePullSecrets") {
			if name := manifest.Text(ref, "name"); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// ofAnyAge returns an object that is rendered, or else the one that the cluster
// has, or nil.
func (d *Deployer) ofAnyAge(ctx context.Context, r *render.Rendered, k manifest.Kind, namespace, name string) (map[string]any, error) {
	for _, o := range r.Objects {
		if o.Kind == k && o.GetNamespace() == namespace && o.GetName() == name {
			return o.Object, nil
		}
	}
	live, err := d.get(ctx, k, namespace, name)
	if live == nil || err != nil {
		return nil, err
	}
	return live.Object, nil
}

// dockerConfig returns what a Secret has for registries, as the text of a docker config
// file, and nil of no Secret.
func dockerConfig(secret map[string]any) ([]byte, error) {
	if secret == nil {
		return nil, nil
	}
	text := func(key string) ([]byte, error) {
		if plain := manifest.Text(manifest.At(secret, "stringData"), key); plain != "" {
			return []byte(plain), nil
		}
		return base64.StdEncoding.DecodeString(manifest.Text(manifest.At(secret, "data"), key))
	}
	config, err := text(".dockerconfigjson")
	if err != nil || len(config) > 0 {
		return config, err
	}
	old, err := text(".dockercfg") // the same, from before it had a part of that name
	if err != nil || len(old) == 0 {
		return []byte("{}"), err
	}
	return slices.Concat([]byte(`{"auths":`), old, []byte("}")), nil
}
