package expiry_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"zr/internal/api/apitest/clustertest"
	"zr/internal/api/expiry"
	"zr/internal/api/lifecycle"
	"zr/internal/api/store/postgres"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/kube/object"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

// environment is a namespace of a real API server that somebody has for a time, and the
// rights of kustomize/base/api/role.yaml in it.
type environment struct {
	*clustertest.Namespace
	mu       sync.Mutex
	recorded []postgres.AuditRecord
}

func newEnvironment(t *testing.T, expires time.Time) *environment {
	e := &environment{Namespace: clustertest.New(t)}
	e.expire(expires)
	return e
}

// expire says until when the namespace is kept, as zr does.
func (e *environment) expire(at time.Time) {
	e.T.Helper()
	e.label(fmt.Sprintf(`{"metadata":{"labels":{%q:"ours"},"annotations":{%q:%q,%q:"shop-staging"}}}`, object.SetLabel, object.ExpiresAnnotation, at.UTC().Format(time.RFC3339), object.SetAnnotation))
}

func (e *environment) label(patch string) {
	e.T.Helper()
	namespaces := kubetest.Client(e.T, e.Cfg, "", "v1", "namespaces")
	if _, err := namespaces.Patch(e.T.Context(), e.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		e.T.Fatal(err)
	}
}

// workload makes one of a set, with a volume claim where it is a StatefulSet.
func (e *environment) workload(kind, name, set string) {
	e.T.Helper()
	claims := ""
	if kind == "StatefulSet" {
		claims = `serviceName: none, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}],`
	}
	e.Create(e.Client("apps", "v1", strings.ToLower(kind)+"s"), fmt.Sprintf(`{apiVersion: apps/v1, kind: %[1]s, metadata: {name: %[2]s, labels: {%[3]s: %[4]s}},
		spec: {%[5]s replicas: 2, selector: {matchLabels: {app: %[2]s}}, template: {metadata: {labels: {app: %[2]s}},
		spec: {schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "none:1"}]}}}}`, kind, name, object.SetLabel, set, claims))
}

// life is what a replica of the api has of the environment.
func (e *environment) life(cluster expiry.Cluster) *expiry.Life {
	return &expiry.Life{
		Cluster: cluster, Services: lifecycle.New(e.Kube), Log: slog.New(slog.DiscardHandler),
		Target: func(service string) string { return e.Name + "/" + service },
		Record: func(_ context.Context, r postgres.AuditRecord) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.recorded = append(e.recorded, r)
		},
	}
}

// replicas are those that workloads are to have, with who stopped them.
func (e *environment) replicas() map[string]string {
	e.T.Helper()
	all := map[string]string{}
	for _, resource := range []string{"deployments", "statefulsets"} {
		list, err := e.Client("apps", "v1", resource).List(e.T.Context(), metav1.ListOptions{})
		if err != nil {
			e.T.Fatal(err)
		}
		for _, o := range list.Items {
			n, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
			all[o.GetName()] = strings.TrimSpace(fmt.Sprint(n, " ", o.GetAnnotations()[object.StoppedBy]))
		}
	}
	return all
}

func (e *environment) is(want map[string]string) {
	e.T.Helper()
	if got := e.replicas(); fmt.Sprint(got) != fmt.Sprint(want) {
		e.T.Errorf("got %v, want %v", got, want)
	}
}

// Two replicas of the api stop what is the environment's own, once, and delete nothing.
func TestAnEndStopsWhatIsTheEnvironmentsOwn(t *testing.T) {
	ended := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	e := newEnvironment(t, ended)
	e.workload("Deployment", "api", "ours")
	e.workload("StatefulSet", "db", "ours")
	e.workload("Deployment", "guest", "theirs")
	e.Create(e.Client("", "v1", "persistentvolumeclaims"), `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}`)
	lives := []*expiry.Life{e.life(e.Kube), e.life(e.Kube)}
	stopped := map[string]string{"api": "0 " + object.StoppedByExpiry, "db": "0 " + object.StoppedByExpiry, "guest": "2"}
	// The controllers write into a workload that is new; what met such a write is
	// stopped the next time.
	for deadline := time.Now().Add(2 * time.Minute); fmt.Sprint(e.replicas()) != fmt.Sprint(stopped) && time.Now().Before(deadline); {
		var looking sync.WaitGroup
		for _, l := range lives {
			looking.Go(func() {
				if err := l.Look(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		looking.Wait()
	}
	e.is(stopped)
	var targets []string
	for _, r := range e.recorded {
		targets = append(targets, strings.TrimPrefix(r.Target, e.Name+"/"))
		if r.Actor != "zr" || r.Action != "stopService" || r.Outcome != postgres.Done || r.Detail != "its time to live ended on "+ended.Format(time.RFC3339) {
			t.Errorf("recorded %+v", r)
		}
	}
	if slices.Sort(targets); !slices.Equal(targets, []string{"api", "db"}) {
		t.Errorf("recorded are %v", targets)
	}
	if got := lives[0].Ends(); got == nil || !got.Equal(ended) {
		t.Errorf("it ends %v, want %v", got, ended)
	}
	claims, err := e.Client("", "v1", "persistentvolumeclaims").List(t.Context(), metav1.ListOptions{})
	if err != nil || !slices.ContainsFunc(claims.Items, func(o unstructured.Unstructured) bool {
		return o.GetName() == "data" && o.GetDeletionTimestamp() == nil
	}) {
		t.Errorf("the volumes are %d, %v", len(claims.Items), err)
	}
	if err := lives[0].Look(t.Context()); err != nil || len(e.recorded) != 2 {
		t.Errorf("looked at again: %v, %d records", err, len(e.recorded))
	}
}

// renewed is a Cluster in which somebody renews the time right before a read.
type renewed struct {
	expiry.Cluster
	before int
	renew  func()
}

func (r *renewed) ReadNamespace(ctx context.Context) (object.Namespace, error) {
	if r.before--; r.before == 0 {
		r.renew()
	}
	return r.Cluster.ReadNamespace(ctx)
}

// Whoever renews the time while it is stopped keeps what runs: before a service is
// changed, and after, where it is started again.
func TestRenewedWhileItIsStopped(t *testing.T) {
	for name, before := range map[string]int{"before the change": 2, "after the change": 3} {
		t.Run(name, func(t *testing.T) {
			e := newEnvironment(t, time.Now().Add(-time.Hour))
			e.PlayKubelet()
			e.workload("Deployment", "api", "ours")
			e.settled("api")
			cluster := &renewed{e.Kube, before, func() { e.expire(time.Now().Add(time.Hour)) }}
			if err := e.life(cluster).Look(t.Context()); err != nil || cluster.before > 0 {
				t.Fatalf("%v, with %d reads to come", err, cluster.before)
			}
			e.is(map[string]string{"api": "2"})
			if len(e.recorded) > 0 {
				t.Errorf("recorded %+v", e.recorded)
			}
		})
	}
}

// settled waits until the controllers write no more into a Deployment.
func (e *environment) settled(name string) {
	e.T.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		o, err := e.Client("apps", "v1", "deployments").Get(e.T.Context(), name, metav1.GetOptions{})
		if err != nil {
			e.T.Fatal(err)
		}
		if n, _, _ := unstructured.NestedInt64(o.Object, "status", "readyReplicas"); n == 2 {
			return
		}
		if time.Now().After(deadline) {
			e.T.Fatalf("not ready: %v", o.Object["status"])
		}
	}
}

// What has no end, one that is to come, or one of a namespace that was only lent, stops
// nothing.
func TestWhatHasNoEnd(t *testing.T) {
	e := newEnvironment(t, time.Now().Add(time.Hour))
	e.workload("Deployment", "api", "ours")
	l := e.life(e.Kube)
	look := func(ends bool) {
		t.Helper()
		if err := l.Look(t.Context()); err != nil || (l.Ends() != nil) != ends {
			t.Errorf("%v; it ends %v", err, l.Ends())
		}
		e.is(map[string]string{"api": "2"})
	}
	look(true)
	e.label(fmt.Sprintf(`{"metadata":{"annotations":{%q:"soon"}}}`, object.ExpiresAnnotation))
	look(false)
	e.expire(time.Now().Add(-time.Hour))
	e.label(fmt.Sprintf(`{"metadata":{"labels":{%q:null}}}`, object.SetLabel))
	look(false)
}

// followed is a Cluster that tells what is asked of it.
type followed struct {
	expiry.Cluster
	reads, watches atomic.Int32
	failed         atomic.Pointer[error]
}

func (f *followed) ReadNamespace(ctx context.Context) (object.Namespace, error) {
	f.reads.Add(1)
	return f.Cluster.ReadNamespace(ctx)
}

func (f *followed) WatchNamespace(ctx context.Context, version string, changed func()) (string, error) {
	f.watches.Add(1)
	version, err := f.Cluster.WatchNamespace(ctx, version, changed)
	if err != nil && ctx.Err() == nil {
		f.failed.Store(&err)
	}
	return version, err
}

// An end that is far off costs a watch and no further request. One that is brought
// nearer is kept to.
func TestAnEndIsFollowed(t *testing.T) {
	e := newEnvironment(t, time.Now().Add(time.Hour))
	e.PlayKubelet()
	e.workload("Deployment", "api", "ours")
	e.settled("api")
	cluster := &followed{Cluster: e.Kube}
	l := e.life(cluster)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()
	until := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not after two minutes; %d reads, %d watches", what, cluster.reads.Load(), cluster.watches.Load())
			}
		}
	}
	until("it is watched", func() bool { return cluster.watches.Load() == 1 })
	if cluster.reads.Load() != 1 {
		t.Errorf("it was read %d times", cluster.reads.Load())
	}
	near := time.Now().Add(2 * time.Second).UTC().Truncate(time.Second)
	e.expire(near)
	until("the nearer end is known", func() bool { ends := l.Ends(); return ends != nil && ends.Equal(near) })
	until("it is stopped", func() bool { return e.replicas()["api"] == "0 "+object.StoppedByExpiry })
	if err := cluster.failed.Load(); err != nil {
		t.Errorf("a watch failed: %v", *err)
	}
}
