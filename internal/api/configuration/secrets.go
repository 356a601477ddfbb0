package configuration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
	"zr/pkg/podconfig"
)

// restartedAnnotation, in a template, is what kubectl rollout restart changes.
const restartedAnnotation = "kubectl.kubernetes.io/restartedAt"

// Secret is a Secret that pods read, or the one that zr makes, without its values.
type Secret struct {
	Name string `json:"name"`
	// CreatedAt and ChangedAt are known of the one that can be set.
	CreatedAt *time.Time  `json:"createdAt,omitempty" doc:"Known of the Secret that can be set."`
	ChangedAt *time.Time  `json:"changedAt,omitempty" doc:"When a value of it was last written."`
	Source    string      `json:"source,omitempty" doc:"Where its values are from: a file of the project, or who has set one."`
	Settable  bool        `json:"settable" doc:"Its values can be set by setSecret."`
	Keys      []SecretKey `json:"keys" doc:"Sorted by name; of another Secret those that pods read by name."`
}

// SecretKey is one of its entries.
type SecretKey struct {
	Name string   `json:"name"`
	Used []string `json:"usedBy" doc:"The workloads whose pods read it, as Kind/name."`
}

// VolumesError says that a volume may have been made with the value of a secret.
type VolumesError struct{ Workloads []string }

func (e *VolumesError) Error() string {
	return "their volumes may have been made with the value that it has: " + strings.Join(e.Workloads, ", ")
}

// metadata is what is seen of the Secret.
type metadata struct {
	Metadata struct {
		CreationTimestamp time.Time         `json:"creationTimestamp"`
		Annotations       map[string]string `json:"annotations"`
		Labels            map[string]string `json:"labels"`
		ManagedFields     []struct {
			Time     time.Time       `json:"time"`
			FieldsV1 json.RawMessage `json:"fieldsV1"`
		} `json:"managedFields"`
	} `json:"metadata"`
}

// ours says whether zr has made the Secret. Of one of somebody else's (External Secrets,
// a driver of the nodes, who typed it) its maker would take a change back.
func (m *metadata) ours() bool { return m.Metadata.Labels[object.SetLabel] != "" }

// Secrets returns the Secrets of the environment, the one that can be set first. Which
// keys that has is told by a trial of a change of nothing: the api may change it, not
// read it.
func (c *Configuration) Secrets(ctx context.Context) ([]Secret, error) {
	if c.cluster == nil {
		return nil, ErrOutside
	}
	workloads, err := c.workloads(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]map[string]bool{} // keys by Secret
	note := func(name string, keys ...string) {
		if known[name] == nil {
			known[name] = map[string]bool{}
		}
		for _, key := range keys {
			known[name][key] = true
		}
	}
	for _, w := range workloads {
		for _, ref := range podconfig.References(w.Spec.Template) {
			if ref.Kind == "Secret" {
				note(ref.Name, ref.Keys...)
			}
		}
	}
	var seen metadata
	err = c.cluster.ChangeUnseen(ctx, object.Secrets, podconfig.SecretsName, map[string]any{}, true, &seen)
	own := Secret{Name: podconfig.SecretsName}
	switch {
	case lean.HasCode(err, http.StatusNotFound):
	case err != nil:
		return nil, err
	default:
		own.Settable, own.CreatedAt, own.Source = seen.ours(), &seen.Metadata.CreationTimestamp, seen.Metadata.Annotations[podconfig.SourceAnnotation]
		note(own.Name)
		for _, entry := range seen.Metadata.ManagedFields {
			var fields struct {
				Data map[string]json.RawMessage `json:"f:data"`
			}
			if json.Unmarshal(entry.FieldsV1, &fields) != nil || fields.Data == nil {
				continue
			}
			for field := range fields.Data {
				if key, is := strings.CutPrefix(field, "f:"); is {
					note(own.Name, key)
				}
			}
			if at := entry.Time; own.ChangedAt == nil || at.After(*own.ChangedAt) {
				own.ChangedAt = &at
			}
		}
	}
	all := []Secret{}
	for name, keys := range known {
		secret := Secret{Name: name}
		if name == own.Name {
			secret = own
		}
		secret.Keys = []SecretKey{}
		for key := range keys {
			secret.Keys = append(secret.Keys, SecretKey{key, readers(workloads, name, key)})
		}
		slices.SortFunc(secret.Keys, func(a, b SecretKey) int { return strings.Compare(a.Name, b.Name) })
		all = append(all, secret)
	}
	slices.SortFunc(all, func(a, b Secret) int {
		if a.Settable != b.Settable {
			if a.Settable {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all, nil
}

func readers(workloads []workload, secret, key string) []string {
	names := []string{}
	for _, w := range workloads {
		if w.reads("Secret", secret, key) {
			names = append(names, w.called())
		}
	}
	return names
}

// SetSecret gives a key of the Secret of the environment a value, rolls who reads it, and
// waits until that has taken effect. Where a workload with a volume reads it, it wants a
// confirmation: a database keeps the password of its first start.
func (c *Configuration) SetSecret(ctx context.Context, key, value, by string, confirmed bool) (Plan, error) {
	if c.cluster == nil {
		return Plan{}, ErrOutside
	}
	workloads, err := c.workloads(ctx)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Changes: []KeyChange{}, Rolls: []string{}, Later: []string{}}
	var volumes []string
	for _, w := range workloads {
		if !w.reads("Secret", podconfig.SecretsName, key) {
			continue
		}
		if w.keeps() {
			volumes = append(volumes, w.called())
		}
		if w.rolls() {
			plan.Rolls = append(plan.Rolls, w.called())
		} else {
			plan.Later = append(plan.Later, w.called())
		}
	}
	if err := c.mayBeSet(ctx); err != nil {
		return plan, err
	}
	if len(volumes) > 0 && !confirmed {
		return plan, &VolumesError{volumes}
	}
	at := time.Now().UTC()
	patch := map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{podconfig.SourceAnnotation: by + " in the dashboard, at " + at.Format(time.RFC3339)}},
		"data":     map[string]any{key: base64.StdEncoding.EncodeToString([]byte(value))},
	}
	if err := c.cluster.ChangeUnseen(ctx, object.Secrets, podconfig.SecretsName, patch, false, &metadata{}); err != nil {
		return plan, err
	}
	return plan, c.annotate(ctx, plan.Rolls, restartedAnnotation, func(string) string { return at.Format(time.RFC3339Nano) }, false)
}

// mayBeSet tries a change of nothing on the Secret, and says whether zr has made it.
func (c *Configuration) mayBeSet(ctx context.Context) error {
	var seen metadata
	switch err := c.cluster.ChangeUnseen(ctx, object.Secrets, podconfig.SecretsName, map[string]any{}, true, &seen); {
	case lean.HasCode(err, http.StatusNotFound):
		return ErrNoSecret
	case err != nil:
		return err
	case !seen.ours():
		return ErrNotOurs
	}
	return nil
}

// keeps says whether the pods of a workload have a volume that outlives them.
func (w *workload) keeps() bool {
	if len(w.Spec.Claims) > 0 {
		return true
	}
	spec, _ := w.Spec.Template["spec"].(map[string]any)
	volumes, _ := spec["volumes"].([]any)
	return slices.ContainsFunc(volumes, func(v any) bool {
		volume, _ := v.(map[string]any)
		return volume["persistentVolumeClaim"] != nil
	})
}
