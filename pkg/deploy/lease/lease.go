// Package lease keeps two runs from changing one environment of a cluster at once.
package lease

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"zr/pkg/deploy/manifest"
	"zr/pkg/kube"
)

// Kind is what a lease is to the cluster.
var Kind = manifest.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"}, Resource: "leases", Namespaced: true}

// defaultTerm is how long a lease lasts that nobody renews: longer than a laptop
// takes to change its network, and short enough to wait for by hand.
const defaultTerm = 15 * time.Second

// ErrLost is why what is done within a lease ends when that is lost.
var ErrLost = errors.New("the lease of the environment is lost")

// Options say who wants to change an environment.
type Options struct {
	// Holder names the run to others: who, on which machine.
	Holder string
	// Wait is told, once, whom a run waits for. Without it a run does not wait.
	Wait func(Held)
	// Term is how long the lease lasts without being renewed. Default: defaultTerm.
	Term time.Duration
}

// Held is the lease of another run.
type Held struct {
	Set    string
	Holder string
	Since  time.Time
}

func (e *Held) Error() string {
	return fmt.Sprintf("%s has been at work on %q since %s", e.Holder, e.Set, e.Since.Local().Format(time.DateTime))
}

// Lease keeps other runs of zr from changing an environment of a cluster that
// people share. Whoever has it renews it; one that is not renewed is taken over.
type Lease struct {
	// Waited says that another run had it before, and may have changed something.
	Waited bool

	leases    kube.Objects // of the environment's namespace
	set       string
	namespace string
	at        *unstructured.Unstructured
	options   Options
	lost      context.CancelCauseFunc
	context   context.Context
	stop      context.CancelFunc
	ended     chan struct{}
	once      sync.Once
}

// Take takes the lease of a set among those of its namespace. It returns nil where
// that does not exist yet, or is about to go: there is nothing to change then.
// The error is a *Held where another run has it.
func Take(ctx context.Context, leases kube.Objects, set, namespace string, options Options) (*Lease, error) {
	if options.Term == 0 {
		options.Term = defaultTerm
	}
	l := &Lease{leases: leases, set: set, namespace: namespace, options: options, ended: make(chan struct{})}
	err := l.take(ctx)
	var held *Held
	switch {
	case errors.As(err, &held):
		return nil, err
	case apierrors.IsNotFound(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("taking the lease of %q: %w", set, err)
	}
	var renewing context.Context
	renewing, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.context, l.lost = context.WithCancelCause(context.WithoutCancel(ctx))
	go l.renew(renewing)
	return l, nil
}

// Within returns a context that ends with ctx, and when the lease is lost.
func (l *Lease) Within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.context, func() { cancel(context.Cause(l.context)) })
	return ctx, func() { stop(); cancel(nil) }
}

// Release gives the lease back, unless another run has it by now. It may be called
// more than once.
func (l *Lease) Release() {
	l.once.Do(func() {
		l.stop()
		<-l.ended
		// The run has ended, also where it was cancelled.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.context), releaseTimeout)
		defer cancel()
		version, uid := l.at.GetResourceVersion(), l.at.GetUID()
		// Where this fails the lease ends by itself.
		_ = l.leases.Delete(ctx, l.at.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}})
		l.lost(nil)
	})
}

// releaseTimeout is how long the end of a run may take for the next one's sake.
const releaseTimeout = 5 * time.Second

// sighting is a lease of others as it was seen, by this machine's clock: theirs
// may be another.
type sighting struct {
	version string
	first   time.Time
}

// take makes the lease, or takes over one that has ended.
func (l *Lease) take(ctx context.Context) error {
	var seen sighting
	for {
		mine, err := l.leases.Create(ctx, l.spec(nil), metav1.CreateOptions{})
		if err == nil {
			l.at = mine
			return nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return err
		}
		theirs, err := l.leases.Get(ctx, name(l.set), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		if v := theirs.GetResourceVersion(); v != seen.version {
			seen = sighting{v, time.Now()}
		}
		held, term, renewed := l.read(theirs)
		if time.Since(seen.first) >= term {
			mine, err = l.leases.Update(ctx, l.spec(theirs), metav1.UpdateOptions{})
			if err == nil {
				l.at, l.Waited = mine, true
				return nil
			}
			if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
				return err
			}
			continue
		}
		// One that seems to have ended is watched for its term; its holder's
		// clock may be slow.
		if l.options.Wait == nil && time.Since(renewed) < term {
			return held
		}
		if l.options.Wait != nil && !l.Waited {
			l.options.Wait(*held)
		}
		l.Waited = true
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(term / 10):
		}
	}
}

// renew renews the lease until it is told to stop. A request that does not get
// through is tried again until the lease has ended by this machine's clock.
func (l *Lease) renew(ctx context.Context) {
	defer close(l.ended)
	ends := time.Now().Add(l.options.Term)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.options.Term / 3):
		}
		attempt, cancel := context.WithTimeout(ctx, l.options.Term/3)
		asked := time.Now()
		next, err := l.leases.Update(attempt, l.spec(l.at), metav1.UpdateOptions{})
		cancel()
		switch {
		case err == nil:
			l.at, ends = next, asked.Add(l.options.Term)
		case apierrors.IsNotFound(err), ctx.Err() != nil:
			return // a purge takes it along with its namespace
		case apierrors.IsConflict(err):
			l.lost(fmt.Errorf("%w: another run has it, since this one was not heard of for too long", ErrLost))
			return
		case time.Now().After(ends):
			l.lost(fmt.Errorf("%w: another run may have it, since it could not be renewed: %w", ErrLost, err))
			return
		}
	}
}

func name(set string) string { return "zr-" + set }

// spec is the lease as this run writes it now, in place of one that is there.
func (l *Lease) spec(before *unstructured.Unstructured) *unstructured.Unstructured {
	now := time.Now().UTC().Format(metav1.RFC3339Micro)
	since := now
	out := &unstructured.Unstructured{Object: map[string]any{"apiVersion": Kind.GroupVersion().String(), "kind": Kind.Kind}}
	if before != nil {
		out = before.DeepCopy()
		if l.at != nil { // it is this run's already
			since, _ = manifest.At(before.Object, "spec")["acquireTime"].(string)
		}
	}
	out.SetName(name(l.set))
	out.SetNamespace(l.namespace)
	out.Object["spec"] = map[string]any{
		"holderIdentity": l.options.Holder, "acquireTime": since, "renewTime": now,
		"leaseDurationSeconds": int64(max(1, l.options.Term/time.Second)), // the API knows no less
	}
	return out
}

// read returns what a lease of another run says.
func (l *Lease) read(theirs *unstructured.Unstructured) (held *Held, term time.Duration, renewed time.Time) {
	spec := manifest.At(theirs.Object, "spec")
	when := func(field string) time.Time {
		text, _ := spec[field].(string)
		t, _ := time.Parse(metav1.RFC3339Micro, text)
		return t
	}
	holder, _ := spec["holderIdentity"].(string)
	seconds, _ := spec["leaseDurationSeconds"].(int64)
	return &Held{Set: l.set, Holder: holder, Since: when("acquireTime")}, time.Duration(seconds) * time.Second, when("renewTime")
}
