package deploy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"zr/pkg/deploy/kubetest"
	"zr/pkg/deploy/lease"
	"zr/pkg/event"
)

func (r *run) leases() dynamic.ResourceInterface {
	return kubetest.Client(r.T, r.cfg, "coordination.k8s.io", "v1", "leases").Namespace(r.Namespace)
}

func (r *run) lease(holder string, wait func(lease.Held)) (*lease.Lease, error) {
	r.T.Helper()
	// A second is the shortest that the API knows.
	l, err := r.deployer().Lease(r.T.Context(), lease.Options{Holder: holder, Wait: wait, Term: time.Second})
	if l != nil {
		r.T.Cleanup(l.Release)
	}
	return l, err
}

// TestTwoRunsDoNotMeet has a second run refused, wait, and find the lease free.
func TestTwoRunsDoNotMeet(t *testing.T) {
	r := newRun(t)
	if l, err := r.lease("ann on one", nil); l != nil || err != nil {
		t.Fatalf("in a namespace that does not exist: %v, %v", l, err)
	}
	r.up()
	first, err := r.lease("ann on one", nil)
	if err != nil || first == nil || first.Waited {
		t.Fatalf("%+v, %v", first, err)
	}
	var held *lease.Held
	if _, err := r.lease("ben on two", nil); !errors.As(err, &held) || held.Holder != "ann on one" || time.Since(held.Since) > time.Hour {
		t.Fatalf("a second run: %v", err)
	}
	// It is held for as long as the first run renews it, and that is released by
	// whoever is told that somebody waits.
	second, err := r.lease("ben on two", func(h lease.Held) {
		if h.Holder != "ann on one" {
			t.Errorf("it waits for %+v", h)
		}
		first.Release()
	})
	if err != nil || !second.Waited {
		t.Fatalf("%+v, %v", second, err)
	}
	second.Release()
	if left, err := r.leases().List(t.Context(), metav1.ListOptions{}); err != nil || len(left.Items) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestALeaseIsRenewed and lost, to a run that took this one for dead.
func TestALeaseIsRenewed(t *testing.T) {
	r := newRun(t)
	r.up()
	l, err := r.lease("ann on one", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := l.Within(t.Context())
	defer cancel()
	read := func() *unstructured.Unstructured {
		found, err := r.leases().Get(t.Context(), "zr-zr-test", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	made := read()
	r.await("the lease to be renewed", func() bool { return read().GetResourceVersion() != made.GetResourceVersion() })
	r.await("somebody to take it", func() bool {
		now := read()
		_ = unstructured.SetNestedField(now.Object, "ben on two", "spec", "holderIdentity")
		_, err := r.leases().Update(t.Context(), now, metav1.UpdateOptions{})
		return err == nil
	})
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, lease.ErrLost) || !strings.Contains(cause.Error(), "another run has it") {
		t.Errorf("it ends with %v", cause)
	}
	l.Release()
	if holder, _, _ := unstructured.NestedString(read().Object, "spec", "holderIdentity"); holder != "ben on two" {
		t.Errorf("a run that lost its lease gave back that of %q", holder)
	}
}

// TestALeaseThatCannotBeRenewed is lost, and nobody has it for all that this run knows.
func TestALeaseThatCannotBeRenewed(t *testing.T) {
	r := newRun(t)
	r.up()
	r.be("newcomer", rule("coordination.k8s.io", "leases", "create", "delete"))
	var l *lease.Lease
	r.await("the right to make one", func() (ok bool) {
		var err error
		l, err = r.lease("ann on one", nil)
		return err == nil
	})
	ctx, cancel := l.Within(t.Context())
	defer cancel()
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, lease.ErrLost) || !strings.Contains(cause.Error(), "another run may have it, since it could not be renewed: ") || !strings.Contains(cause.Error(), "cannot update") {
		t.Errorf("it ends with %v", cause)
	}
	l.Release()
}

// TestALeaseThatNobodyRenewsIsTakenOver leaves one behind, as a killed run does.
func TestALeaseThatNobodyRenewsIsTakenOver(t *testing.T) {
	r := newRun(t)
	r.up()
	_, err := r.leases().Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": map[string]any{"name": "zr-zr-test"},
		"spec": map[string]any{
			"holderIdentity": "ann on one", "leaseDurationSeconds": int64(1),
			"acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.000000Z",
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := r.lease("ben on two", nil)
	if err != nil || !l.Waited {
		t.Fatalf("%+v, %v", l, err)
	}
	if err := r.deployer().Remove(t.Context(), event.Discard, true); err != nil { // it holds no namespace back
		t.Fatal(err)
	}
}
