package environments

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"zr/internal/api/kube"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// Label is on the RoleBinding by which zr gives a control room its rights on a
// namespace. Its value is what zr calls the environment.
const Label = "zr.dev/environment"

// retryEvery is how often the cluster is asked again that did not answer.
const retryEvery = time.Second

// Grant is a namespace that the api was given rights on.
type Grant struct{ Namespace, Set string }

// Grants tells which namespaces the api was given rights on.
type Grants interface {
	// Follow passes all of them to told, at first and after each change, until ctx
	// ends.
	Follow(ctx context.Context, told func([]Grant))
}

// Bindings finds them by the RoleBindings with Label that zr has made.
type Bindings struct {
	client *kube.Client
	log    *slog.Logger
}

// NewBindings returns the Bindings of the cluster that client reads.
func NewBindings(client *kube.Client, log *slog.Logger) *Bindings { return &Bindings{client, log} }

// Follow implements Grants.
func (b *Bindings) Follow(ctx context.Context, told func([]Grant)) {
	for ctx.Err() == nil {
		err := b.follow(ctx, told)
		if ctx.Err() != nil || lean.HasCode(err, http.StatusGone) {
			continue
		}
		if err != nil && !errors.Is(err, lean.ErrEndedAtOnce) {
			b.log.Warn("the environments are not known, and are asked for again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

// follow lists and then watches, until the watch breaks.
func (b *Bindings) follow(ctx context.Context, told func([]Grant)) error {
	listed, version, err := b.client.Bindings(ctx, Label)
	if err != nil {
		return err
	}
	held := map[string]Grant{} // by namespace and name
	note := func(o object.Object, deleted bool) {
		m := o.Metadata()
		key := m.Namespace + "/" + m.Name
		if delete(held, key); !deleted {
			held[key] = Grant{Namespace: m.Namespace, Set: m.Labels[Label]}
		}
	}
	for _, o := range listed {
		note(o, false)
	}
	told(values(held))
	for err == nil && ctx.Err() == nil {
		version, err = b.client.WatchBindings(ctx, Label, version, func(c lean.Change) {
			note(c.Object, c.Deleted)
			told(values(held))
		})
	}
	return err
}

func values(held map[string]Grant) []Grant {
	all := make([]Grant, 0, len(held))
	for _, g := range held {
		all = append(all, g)
	}
	return all
}
