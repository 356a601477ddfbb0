package deploy

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/fault"
	"zr/pkg/podconfig"
)

// Held returns the values of the Secret "secrets" that the environment runs
// with, or keeps for its volumes, and nil where it has none. Never print them.
func (d *Deployer) Held(ctx context.Context) (map[string]string, error) {
	held, err := d.Secrets(ctx)
	return held.Values, err
}

// Content is what the cluster has of the environment's settings or secrets. Never
// print the values of secrets.
type Content struct {
	Values map[string]string // nil where there is no such object
	Source string            // where it is from: podconfig.SourceAnnotation
}

// Settings returns the settings that the environment runs with.
func (d *Deployer) Settings(ctx context.Context) (Content, error) {
	content, err := d.content(ctx, manifest.ConfigMapKind, render.SettingsName)
	if err != nil {
		return Content{}, d.reachable(fmt.Errorf("reading the settings of %q from the cluster: %w", d.set, err))
	}
	return content, nil
}

// Secrets returns the secrets that the environment runs with.
func (d *Deployer) Secrets(ctx context.Context) (Content, error) {
	content, err := d.content(ctx, manifest.SecretKind, render.SecretsName)
	if err != nil {
		return Content{}, d.reachable(fmt.Errorf("reading the secrets of %q from the cluster: %w", d.set, err))
	}
	return content, nil
}

// Lent returns what a Secret "secrets" of somebody else's has in a namespace. Values are
// nil where there is none. Source is whose it is.
func (d *Deployer) Lent(ctx context.Context, namespace string) (Content, error) {
	found, err := d.get(ctx, manifest.SecretKind, namespace, render.SecretsName)
	if err == nil && (found == nil || d.checkOwner(found, manifest.SetID(d.set, namespace), true) == nil) {
		return Content{}, nil
	}
	var values map[string]string
	if err == nil {
		values, err = valuesOf(manifest.SecretKind, found)
	}
	if err != nil {
		return Content{}, d.reachable(fmt.Errorf("reading Secret %q of namespace %q: %w", render.SecretsName, namespace, err))
	}
	return Content{values, ownerOf(found)}, nil
}

// content returns that of an object of the set.
func (d *Deployer) content(ctx context.Context, kind manifest.Kind, name string) (Content, error) {
	namespaces := []string{d.namespace}
	if d.namespace == "" {
		parents, err := d.parents(ctx)
		if err != nil {
			return Content{}, err
		}
		namespaces = nil
		for _, p := range parents {
			namespaces = append(namespaces, p.Namespace)
		}
	}
	for _, namespace := range namespaces {
		found, err := d.get(ctx, kind, namespace, name)
		if err != nil {
			return Content{}, err
		}
		if found == nil || found.GetLabels()[manifest.PartOfLabel] != manifest.SetID(d.set, namespace) {
			continue
		}
		values, err := valuesOf(kind, found)
		if err != nil {
			return Content{}, err
		}
		return Content{values, found.GetAnnotations()[podconfig.SourceAnnotation]}, nil
	}
	return Content{}, nil
}

// valuesOf returns the entries of a ConfigMap or Secret.
func valuesOf(kind manifest.Kind, found *unstructured.Unstructured) (map[string]string, error) {
	values := map[string]string{}
	for key, value := range manifest.At(found.Object, "data") {
		values[key] = fmt.Sprint(value)
		if kind == manifest.SecretKind {
			plain, err := base64.StdEncoding.DecodeString(values[key])
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", manifest.Name(found), key, err)
			}
			values[key] = string(plain)
		}
	}
	return values, nil
}

// lockedOut refuses to change values that a volume was made with: a database
// keeps the password of its first start, and with another one nobody gets in.
func (d *Deployer) lockedOut(ctx context.Context, r *render.Rendered, cs *ChangeSet) error {
	if d.ChangeSecrets {
		return nil
	}
	var problems []error
	var claims []unstructured.Unstructured
	for _, secret := range cs.items {
		changed := changedKeys(secret)
		if len(changed) == 0 {
			continue
		}
		for _, o := range r.Objects {
			read := readKeys(o, secret.object, changed)
			if len(read) == 0 {
				continue
			}
			if claims == nil {
				var err error
				if claims, err = d.list(ctx, manifest.ClaimKind, r.Namespace, ""); err != nil {
					return err
				}
			}
			if claim := claimOf(o, claims); claim != "" {
				problems = append(problems, d.lockoutFault(secret.object, o, read, claim))
			}
		}
	}
	return errors.Join(problems...)
}

// changedKeys returns the entries of a Secret that the cluster has with
// another value, sorted.
func changedKeys(i *item) []string {
	if i == nil || i.object.Kind != manifest.SecretKind || i.live == nil {
		return nil
	}
	var out []string
	want := manifest.Content(i.object.Unstructured)
	for key, value := range manifest.Content(i.live) {
		if want[key] != value {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// readKeys returns which of the keys of a Secret the pods of a workload read.
func readKeys(o, secret *render.Object, keys []string) []string {
	read := map[string]bool{}
	for _, ref := range podconfig.References(manifest.PodTemplate(o.Unstructured)) {
		if ref.Kind != "Secret" || ref.Name != secret.GetName() || o.GetNamespace() != secret.GetNamespace() {
			continue
		}
		for _, key := range keys {
			if ref.Reads(key) {
				read[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(read))
}

// claimOf returns a claim that exists and that the pods of a workload have
// mounted, or "".
func claimOf(o *render.Object, claims []unstructured.Unstructured) string {
	for i := range claims {
		claim := claims[i].GetName()
		for _, volume := range manifest.Items(manifest.At(manifest.PodTemplate(o.Unstructured), "spec"), "volumes") {
			if manifest.Text(manifest.At(volume, "persistentVolumeClaim"), "claimName") == claim {
				return claim
			}
		}
		for _, template := range manifest.Items(manifest.At(o.Object, "spec"), "volumeClaimTemplates") {
			// <template>-<StatefulSet>-<ordinal>
			ordinal, ok := strings.CutPrefix(claim, manifest.Text(manifest.At(template, "metadata"), "name")+"-"+o.GetName()+"-")
			if ok && ordinal != "" && strings.Trim(ordinal, "0123456789") == "" {
				return claim
			}
		}
	}
	return ""
}

func (d *Deployer) lockoutFault(secret, workload *render.Object, keys []string, claim string) error {
	err := fmt.Errorf("%s: %s would change, which %s reads, whose volume %q was made with the value that the cluster has",
		manifest.Name(secret.Unstructured), strings.Join(keys, ", "), manifest.Name(workload.Unstructured), claim)
	back := "put the values back that the cluster has"
	if secret.GetName() == render.SecretsName {
		back = "move the environment's file in config/secrets/ away, and the values that the cluster has are taken over"
	}
	return fault.WithCode(err, fault.Usage, fmt.Sprintf("%s; `%s` applies the new ones all the same, for what the volume does not keep; `%s` removes the volume with its data",
		back, d.Lines.Zr("up", "--change-secrets"), d.Lines.Zr("down", "--purge")))
}
