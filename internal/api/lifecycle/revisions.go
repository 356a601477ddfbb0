package lifecycle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// ErrNoRevision says that a service has no such revision, or none any more.
var ErrNoRevision = errors.New("the service has no such revision")

// templateHash is the label by which a Deployment tells its ReplicaSets apart.
const templateHash = "pod-template-hash"

// Revision is a template that a service had, and can be given again.
type Revision struct {
	Revision  int64     `json:"revision"`
	Current   bool      `json:"current" doc:"It is what the service is to run now."`
	Images    []string  `json:"images"`
	Cause     string    `json:"cause,omitempty" doc:"What the annotation kubernetes.io/change-cause says."`
	CreatedAt time.Time `json:"createdAt"`

	id    string // what is current then: the UID of a ReplicaSet, the name of a ControllerRevision
	patch any
	kind  string // of the patch
}

// Revisions returns those that the cluster keeps of a service, the newest first.
func (s *Services) Revisions(ctx context.Context, name string) ([]Revision, error) {
	w, _, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.revisions(ctx, w)
}

// Rollback gives a service the template of a revision, and waits until that is what
// runs, and all of it is ready.
func (s *Services) Rollback(ctx context.Context, name string, revision int64) (Effect, error) {
	w, _, err := s.find(ctx, name)
	if err != nil {
		return Effect{}, err
	}
	all, err := s.revisions(ctx, w)
	if err != nil {
		return Effect{}, err
	}
	i := slices.IndexFunc(all, func(r Revision) bool { return r.Revision == revision })
	if i < 0 {
		return Effect{}, ErrNoRevision
	}
	written := w.Workload
	if !all[i].Current {
		if written, err = s.cluster.PatchWith(ctx, w.kind, name, all[i].kind, all[i].patch); err != nil {
			return Effect{}, err
		}
	}
	for {
		effect, err := s.Await(ctx, w.kind, written)
		if err != nil {
			return effect, err
		}
		now, err := s.revisions(ctx, found{written, w.kind})
		if err != nil {
			return effect, err
		}
		if current := slices.IndexFunc(now, func(r Revision) bool { return r.Current }); current >= 0 && now[current].id == all[i].id {
			return effect, nil
		}
		if pause(ctx) != nil {
			return effect, &NotThere{effect.Ready, effect.Replicas}
		}
	}
}

// revisions asks for those of a workload, and which one it is to run now.
func (s *Services) revisions(ctx context.Context, w found) ([]Revision, error) {
	now, err := s.cluster.Workload(ctx, w.kind, w.Name)
	if err != nil {
		return nil, err
	}
	read := s.templates
	if w.kind == object.StatefulSet {
		read = s.controllerRevisions
	}
	all, err := read(ctx, &now)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Revision) int { return cmp.Compare(b.Revision, a.Revision) })
	return all, nil
}

// templates reads the revisions of a Deployment, which are its ReplicaSets.
func (s *Services) templates(ctx context.Context, w *object.Workload) (all []Revision, err error) {
	var list struct {
		Items []struct {
			object.Meta `json:"metadata"`
			Spec        struct {
				Template map[string]any `json:"template"`
			} `json:"spec"`
		} `json:"items"`
	}
	if err := s.cluster.Read(ctx, object.ReplicaSets, "", &list); err != nil {
		return nil, err
	}
	for _, set := range list.Items {
		owner := set.Owner()
		if owner == nil || owner.UID != w.UID {
			continue
		}
		number := set.Annotations[object.RevisionAnnotation]
		r := Revision{CreatedAt: set.CreationTimestamp, Cause: set.Annotations[object.ChangeCause], id: set.UID, kind: lean.JSONPatch,
			Current: number != "" && number == w.Annotations[object.RevisionAnnotation]}
		if r.Revision, err = strconv.ParseInt(number, 10, 64); err != nil {
			continue // the controller has not numbered it yet
		}
		if r.Images, err = imagesOf(set.Spec.Template); err != nil {
			return nil, err
		}
		if metadata, ok := set.Spec.Template["metadata"].(map[string]any); ok {
			if labels, ok := metadata["labels"].(map[string]any); ok {
				delete(labels, templateHash)
			}
		}
		r.patch = []map[string]any{{"op": "replace", "path": "/spec/template", "value": set.Spec.Template}}
		all = append(all, r)
	}
	return all, nil
}

// controllerRevisions reads the revisions of a StatefulSet. Each holds a patch.
func (s *Services) controllerRevisions(ctx context.Context, w *object.Workload) (all []Revision, err error) {
	var list struct {
		Items []object.ControllerRevision `json:"items"`
	}
	if err := s.cluster.Read(ctx, object.Revisions, "", &list); err != nil {
		return nil, err
	}
	for _, kept := range list.Items {
		owner := kept.Owner()
		if owner == nil || owner.UID != w.UID {
			continue
		}
		r := Revision{Revision: kept.Revision, CreatedAt: kept.CreationTimestamp, Cause: kept.Annotations[object.ChangeCause],
			Current: kept.Name == w.Status.UpdateRevision, id: kept.Name, kind: lean.StrategicPatch}
		var patch map[string]any
		if err := json.Unmarshal(kept.Data, &patch); err != nil {
			return nil, fmt.Errorf("reading revision %q: %w", kept.Name, err)
		}
		r.patch = patch
		spec, _ := patch["spec"].(map[string]any)
		template, _ := spec["template"].(map[string]any)
		if r.Images, err = imagesOf(template); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// imagesOf returns the images of a template's containers.
func imagesOf(template map[string]any) ([]string, error) {
	raw, err := json.Marshal(template)
	if err != nil {
		return nil, err
	}
	var t object.PodTemplate
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, fmt.Errorf("reading the template of a revision: %w", err)
	}
	images := []string{}
	for _, c := range t.Spec.Containers {
		images = append(images, c.Image)
	}
	return images, nil
}
