// Package configuration changes the settings of an environment in its cluster, as
// revisions that can be gone back to, and sets secrets without ever reading one.
//
// The api has no sources: the file of the project stays the truth where there is one. A
// `zr dev` that is attached writes changes into it. What is changed here without one
// says so on the object (podconfig.SourceAnnotation), and zr tells it to whoever applies
// the file the next time. Pods are rolled by the hash that zr itself would write, so that
// a change that the file takes over rolls nothing again.
package configuration

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"zr/internal/api/dev"
	"zr/internal/api/kube"
	"zr/internal/api/lifecycle"
	"zr/internal/api/store/postgres"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
	"zr/pkg/podconfig"
)

// The errors that have a reason of their own.
var (
	ErrOutside  = errors.New("the api does not run in a cluster")
	ErrNone     = errors.New("the environment has no ConfigMap \"settings\": `zr up` makes it where the configuration has `settings:`, or a pod reads one")
	ErrNoSecret = errors.New("the environment has no Secret \"secrets\": `zr up` makes it where config/secrets has a file, or a pod reads one")
	ErrNotOurs  = errors.New("the Secret \"secrets\" is not zr's: who has made it would take a change back; set the value there")
	ErrChanged  = errors.New("the settings were changed meanwhile: read them again")
)

// MissingError says that pods read settings that would not be there, without which they
// do not start.
type MissingError struct{ Keys []string }

func (e *MissingError) Error() string {
	return "pods read what would not be there: " + strings.Join(e.Keys, ", ")
}

// RefusedError is what the API server says about a change.
type RefusedError struct {
	Object string // "Deployment/api"
	Err    *lean.StatusError
}

func (e *RefusedError) Error() string { return e.Object + ": " + e.Err.Error() }

// StoreError says that the store did not do it.
type StoreError struct{ Err error }

func (e *StoreError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// inStore makes an error of the store a *StoreError, but for postgres.ErrNoRevision.
func inStore(err error) error {
	if err == nil || errors.Is(err, postgres.ErrNoRevision) {
		return err
	}
	return &StoreError{err}
}

// Store is where revisions last. *postgres.Store is one.
type Store interface {
	AddRevision(ctx context.Context, environment string, r postgres.Revision) (postgres.Revision, error)
	ConcludeRevision(ctx context.Context, environment string, id int64, outcome string) error
	FindRevision(ctx context.Context, environment string, id int64) (postgres.Revision, error)
	Revisions(ctx context.Context, environment string, before int64, limit int) ([]postgres.Revision, error)
}

// Configuration is that of one environment. It is safe for concurrent use.
type Configuration struct {
	cluster     *kube.Client // nil outside of one
	services    *lifecycle.Services
	store       Store
	devs        *dev.Hub
	environment string // as the store and the hub call it
	log         *slog.Logger
}

// New returns the configuration of the environment in the namespace of a client, which
// is nil outside of a cluster. Changes go to the `zr dev` that devs knows, if any.
func New(cluster *kube.Client, store Store, devs *dev.Hub, environment string, log *slog.Logger) *Configuration {
	return &Configuration{cluster, lifecycle.New(cluster), store, devs, environment, log}
}

// Settings are what the cluster has.
type Settings struct {
	Values map[string]string
	// Source says where they are from: a file, or a revision.
	Source string
	// Revision is the one that they are, 0 where they are from a file.
	Revision int64
	// ETag names this state of them, without quotes.
	ETag string
	// Readers are the workloads that read each, by its key, as Kind/name.
	Readers map[string][]string
	// Behind are workloads whose pods were not rolled to these settings, as Kind/name.
	Behind []string

	workloads []workload
}

// workload is what is read of one.
type workload struct {
	kind     string
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Template map[string]any `json:"template"`
		Claims   []any          `json:"volumeClaimTemplates"`
	} `json:"spec"`
}

func (w *workload) called() string { return w.kind + "/" + w.Metadata.Name }

// rolls says whether the api may roll the pods of a workload. Those of others read what
// is new when they are made anew.
func (w *workload) rolls() bool { return w.kind == object.Deployment || w.kind == object.StatefulSet }

// stamp is the hash of the settings with which the pods were rolled, "" where none is
// known.
func (w *workload) stamp() string {
	metadata, _ := w.Spec.Template["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	hash, _ := annotations[podconfig.SettingsHashAnnotation].(string)
	return hash
}

// Settings reads the settings, and who reads them.
func (c *Configuration) Settings(ctx context.Context) (Settings, error) {
	if c.cluster == nil {
		return Settings{}, ErrOutside
	}
	var held object.ConfigMap
	if err := c.cluster.Read(ctx, object.ConfigMaps, podconfig.SettingsName, &held); err != nil {
		if lean.HasCode(err, http.StatusNotFound) {
			err = ErrNone
		}
		return Settings{}, err
	}
	workloads, err := c.workloads(ctx)
	if err != nil {
		return Settings{}, err
	}
	s := Settings{Values: held.Data, Source: held.Annotations[podconfig.SourceAnnotation], ETag: held.ResourceVersion, Readers: map[string][]string{}, workloads: workloads}
	if s.Values == nil {
		s.Values = map[string]string{}
	}
	s.Revision = podconfig.RevisionOf(s.Source)
	for _, w := range workloads {
		for key := range s.Values {
			if w.reads("ConfigMap", podconfig.SettingsName, key) {
				s.Readers[key] = append(s.Readers[key], w.called())
			}
		}
		if stamp := w.stamp(); stamp != "" && stamp != podconfig.SettingsHash(w.Spec.Template, s.Values) {
			s.Behind = append(s.Behind, w.called())
		}
	}
	return s, nil
}

// reads says whether the pods of a workload read a key of an object.
func (w *workload) reads(kind, name, key string) bool {
	return slices.ContainsFunc(podconfig.References(w.Spec.Template), func(ref podconfig.Reference) bool {
		return ref.Kind == kind && ref.Name == name && ref.Reads(key)
	})
}

// workloads lists those that have pods, sorted by kind and name.
func (c *Configuration) workloads(ctx context.Context) (all []workload, err error) {
	for _, of := range []struct {
		kind     string
		resource object.Resource
	}{{object.DaemonSet, object.DaemonSets}, {object.Deployment, object.Deployments}, {object.Job, object.Jobs}, {object.StatefulSet, object.StatefulSets}} {
		var list struct {
			Items []workload `json:"items"`
		}
		if err := c.cluster.Read(ctx, of.resource, "", &list); err != nil {
			return nil, err
		}
		for _, w := range list.Items {
			w.kind = of.kind
			all = append(all, w)
		}
	}
	return all, nil
}

// KeyChange is a setting that differs. Old or New is nil where it is not there.
type KeyChange struct {
	Key string  `json:"key"`
	Old *string `json:"old,omitempty" doc:"Not there where the setting is new."`
	New *string `json:"new,omitempty" doc:"Not there where the setting goes."`
}

// Compare returns what differs between two settings, sorted by key.
func Compare(before, after map[string]string) []KeyChange {
	changes := []KeyChange{}
	for key, old := range before {
		if value, stays := after[key]; !stays {
			changes = append(changes, KeyChange{Key: key, Old: &old})
		} else if value != old {
			changes = append(changes, KeyChange{Key: key, Old: &old, New: &value})
		}
	}
	for key, value := range after {
		if _, there := before[key]; !there {
			changes = append(changes, KeyChange{Key: key, New: &value})
		}
	}
	slices.SortFunc(changes, func(a, b KeyChange) int { return strings.Compare(a.Key, b.Key) })
	return changes
}

// Plan is what a change would do.
type Plan struct {
	Changes []KeyChange
	Rolls   []string // workloads whose pods are replaced, as Kind/name
	Later   []string // workloads that read it when their pods are made anew, as Kind/name
}

// plan says what other settings would do.
func (s *Settings) plan(next map[string]string) (Plan, error) {
	p := Plan{Changes: Compare(s.Values, next), Rolls: []string{}, Later: []string{}}
	missing := &MissingError{}
	for _, w := range s.workloads {
		for _, ref := range podconfig.References(w.Spec.Template) {
			for _, key := range ref.Keys {
				if _, there := next[key]; !there && !ref.Optional && ref.Kind == "ConfigMap" && ref.Name == podconfig.SettingsName && w.kind != object.Job {
					missing.Keys = append(missing.Keys, fmt.Sprintf("%s (%s)", key, w.called()))
				}
			}
		}
		was, will := w.stamp(), podconfig.SettingsHash(w.Spec.Template, next)
		if was == "" { // rolled by a zr that wrote none
			was = podconfig.SettingsHash(w.Spec.Template, s.Values)
		}
		switch {
		case was == will:
		case w.rolls():
			p.Rolls = append(p.Rolls, w.called())
		default:
			p.Later = append(p.Later, w.called())
		}
	}
	if len(missing.Keys) > 0 {
		slices.Sort(missing.Keys)
		missing.Keys = slices.Compact(missing.Keys)
		return p, missing
	}
	return p, nil
}
