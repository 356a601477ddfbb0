package overview_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"zr/internal/api/apitest"
	"zr/internal/api/apitest/clustertest"
	"zr/internal/api/routes/overview"
	"zr/pkg/apiclient"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
	"zr/pkg/event"
)

// web is a Deployment of one pod that no node takes.
const web = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
	"spec":{"schedulerName":"nobody","terminationGracePeriodSeconds":0,"containers":[{"name":"main","image":"%s"}]}}}}`

// apply does as a run of zr does, and returns when that was by the clock of the API server.
func apply(t *testing.T, deployments dynamic.ResourceInterface, image string) time.Time {
	t.Helper()
	force := true
	made, err := deployments.Patch(t.Context(), "web", types.ApplyPatchType, fmt.Appendf(nil, web, image), metav1.PatchOptions{FieldManager: "zr", Force: &force})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range made.GetManagedFields() {
		if f.Manager == "zr" {
			return f.Time.UTC()
		}
	}
	t.Fatal("zr manages nothing")
	return time.Time{}
}

// attach attaches a run of somebody.
func attach(t *testing.T, a *apitest.App, user string) *attachment.Attachment {
	t.Helper()
	t.Setenv("USER", user)
	run := attachment.New(devattach.Hello{Run: "one", Verb: devattach.Up, Machine: "laptop", Since: time.Now()})
	t.Cleanup(run.Close)
	run.Found(apiclient.Address{Base: a.URL(), Key: apitest.LoginKey}, "")
	return run
}

// Who changed a service last is told of a run of zr that names the time that the API server
// noted, and of what was done in the dashboard. Of others it is told with what they did it.
// While PostgreSQL is away the names are not known, and everything else is.
func TestOverview200ByWhom(t *testing.T) {
	e := clustertest.In(t, kubetest.Config(t))
	e.PlayKubelet()
	deployments := e.Client("apps", "v1", "deployments")
	a, db := serve(t, e.Mount())
	session := a.LogIn("operator")
	lasts := func(what, by, with string) func(overview.ServicesOverview) bool {
		return func(o overview.ServicesOverview) bool {
			c := of(o, "web").Change
			return c != nil && c.What == what && c.By == by && c.With == with
		}
	}

	applied := apply(t, deployments, "none:1")
	o := await(t, a, session, lasts("deployed", "", "zr"))
	if c := of(o, "web").Change; !c.At.Equal(applied) || o.NamesWhy != "" {
		t.Errorf("got %+v, want %v", o, applied)
	}
	run := attach(t, a, "grace")
	run.Emit(event.ServiceWritten{Service: "web", Kind: "Deployment", Written: applied})
	await(t, a, session, lasts("deployed", "grace", "zr"))
	awaitClock(t, applied.Add(time.Second))
	run.Emit(event.Reload{Service: "web", Paths: []string{"main.go"}, Error: "main.go:1: no"})
	run.Emit(event.Reload{Service: "web", Paths: []string{"main.go"}})
	o = await(t, a, session, lasts("reloaded", "grace", ""))

	act := func(path, body string) {
		t.Helper()
		if got := a.Send(http.MethodPost, "/api/v1/services/web/"+path, body, session...); got.Status != 200 {
			t.Fatalf("%s: got %d %s", path, got.Status, got.Body)
		}
	}
	write := func(manager string, replicas int, sub ...string) {
		t.Helper()
		patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
		if _, err := deployments.Patch(t.Context(), "web", types.MergePatchType, patch, metav1.PatchOptions{FieldManager: manager}, sub...); err != nil {
			t.Fatal(err)
		}
	}
	awaitClock(t, of(o, "web").Change.At.Add(time.Second)) // the API server notes whole seconds
	act("restart", "")
	await(t, a, session, lasts("restarted", "ada", "zr-api"))
	act("scale", `{"replicas":2}`)
	o = await(t, a, session, lasts("scaled", "ada", "zr-api"))

	// The API server notes no time of this.
	write("kubectl", 3, "scale")
	await(t, a, session, func(o overview.ServicesOverview) bool { return of(o, "web").Change.ScaledWith == "kubectl" })
	awaitClock(t, of(o, "web").Change.At.Add(time.Second))
	write("kubectl-edit", 4)
	o = await(t, a, session, lasts("changed", "", "kubectl-edit"))
	if c := of(o, "web").Change; c.ScaledWith != "" {
		t.Errorf("something else has set the number since: %+v", c)
	}
	awaitClock(t, of(o, "web").Change.At.Add(time.Second))
	apply(t, deployments, "none:2") // of a run that tells nothing
	o = await(t, a, session, lasts("deployed", "", "zr"))

	awaitClock(t, of(o, "web").Change.At.Add(time.Second))
	act("rollback", `{"revision":1}`)
	await(t, a, session, lasts("rolledBack", "ada", "zr-api"))
	act("stop", "")
	await(t, a, session, lasts("stopped", "ada", "zr-api"))
	db.Stop()
	o = await(t, a, session, func(o overview.ServicesOverview) bool { return o.NamesWhy != "" })
	if c := of(o, "web").Change; c == nil || c.What != "changed" || c.By != "" || c.With != "zr-api" || c.At.IsZero() || !strings.HasPrefix(o.NamesWhy, "the database does not answer: ") {
		t.Errorf("without the database: %+v %+v", o, c)
	}
	db.Start()
	await(t, a, session, lasts("stopped", "ada", "zr-api"))
}

// awaitClock waits until a time: the API server notes whole seconds.
func awaitClock(t *testing.T, at time.Time) {
	t.Helper()
	select {
	case <-time.After(time.Until(at)):
	case <-t.Context().Done():
	}
}

// CPU and memory come from the metrics API, without being waited for. What is not measured
// yet is told from what uses nothing, and why there is nothing at all is said.
func TestOverview200WhatIsUsed(t *testing.T) {
	a, metrics := served(t)
	session := a.LogIn("viewer")
	metrics.hold.Lock()
	first := overview.ServicesOverview{}
	await(t, a, session, func(o overview.ServicesOverview) bool { first = o; return len(o.Services) > 1 })
	if first.UsageBy != "" || first.UsageWhy != "" || of(first, "web").Use != nil {
		t.Errorf("while the metrics API has not answered: %+v", first)
	}
	metrics.hold.Unlock()
	o := await(t, a, session, func(o overview.ServicesOverview) bool { return o.UsageBy != "" })
	use := of(o, "web").Use
	if o.UsageBy != "metrics.k8s.io" || use == nil || use.Running != 2 || use.Measured != 1 || use.Cores != 0.25 || use.Memory != 64<<20 || use.CoresLimit != nil || *use.MemoryLimit != 256<<20 {
		t.Errorf("got %+v %+v", o, use)
	}
	if idle := of(o, "idle"); idle.Use == nil || idle.Use.Running != 0 {
		t.Errorf("nothing of it runs: %+v", idle)
	}
	if redis := of(o, "redis"); redis.Use != nil || redis.Change != nil {
		t.Errorf("Kubernetes does not know it: %+v", redis)
	}
}

func TestOverview200WithoutMetrics(t *testing.T) {
	a, metrics := served(t)
	metrics.none.Store(true)
	session := a.LogIn("viewer")
	o := await(t, a, session, func(o overview.ServicesOverview) bool { return o.UsageWhy != "" })
	if o.UsageBy != "" || !strings.Contains(o.UsageWhy, "there is none") || of(o, "web").Use != nil {
		t.Errorf("got %+v", o)
	}
	asked := metrics.asked.Load()
	for range 100 {
		if got := a.Request(http.MethodGet, path, session...); got.Status != 200 {
			t.Fatalf("got %d %s", got.Status, got.Body)
		}
	}
	if now := metrics.asked.Load(); now != asked {
		t.Errorf("a cluster without a metrics API was asked for it %d times more", now-asked)
	}
}
