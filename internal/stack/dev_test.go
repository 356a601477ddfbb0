package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"zr/internal/devloop"
	"zr/internal/testkit"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/event"
	"zr/pkg/health"
)

// TestWhatOthersDoHasToLast goes through what the namespace holds, one after the
// other, half a second apart: what this zr applies itself is nobody else's doing.
func TestWhatOthersDoHasToLast(t *testing.T) {
	applied := health.Held{Workloads: []health.Workload{{Kind: "Deployment", Name: "api", Replicas: 1, PodLabels: map[string]string{"zr.dev/dev": "true"}}}}
	scaled := health.Held{Workloads: []health.Workload{{Kind: "Deployment", Name: "api", Replicas: 3, PodLabels: map[string]string{"zr.dev/dev": "true"}}}}
	for name, tt := range map[string]struct {
		seen    []health.Held
		busy    bool // this zr applies something meanwhile
		applies int
		err     error
	}{
		"nothing":                       {seen: []health.Held{applied}},
		"a moment":                      {seen: []health.Held{scaled, applied}},
		"for good":                      {seen: []health.Held{scaled}, applies: 1},
		"a moment, while zr applies":    {seen: []health.Held{scaled, applied}, busy: true},
		"for good, also after an apply": {seen: []health.Held{scaled}, busy: true, applies: 1},
		"the namespace is deleted":      {seen: []health.Held{scaled, {Gone: true}}, err: errGone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDev(&Stack{sink: event.Discard})
				d.facts.Store(&facts{applied: []wanted{{"Deployment", "api", true}}})
				ctx, cancel := context.WithCancel(t.Context())
				seen, commands, ended := make(chan health.Held), make(chan devloop.Command, 9), make(chan error, 1)
				go func() { ended <- d.judgeOutside(ctx, "shop", seen, commands) }()
				if tt.busy {
					release := make(chan struct{})
					go func() {
						_ = d.exclusively(ctx, func(*current) error {
							<-release
							return nil
						})
					}()
					time.AfterFunc(3*outsideLasts, func() { close(release) })
				}
				for _, h := range tt.seen {
					seen <- h
					time.Sleep(outsideLasts / 2)
				}
				if tt.busy {
					time.Sleep(2 * outsideLasts)
					if len(commands) > 0 {
						t.Error("what this zr applies was taken for somebody else's")
					}
				}
				time.Sleep(outsideAgain / 2)
				cancel()
				if err := <-ended; !errors.Is(err, cmp.Or(tt.err, context.Canceled)) {
					t.Errorf("it ended with %v, want %v", err, tt.err)
				}
				if len(commands) != tt.applies {
					t.Errorf("it was applied anew %d times, want %d", len(commands), tt.applies)
				}
			})
		})
	}
}

// TestASaveThatCannotBeApplied leaves a `zr dev` with what it found before, and
// watches the files of before.
func TestASaveThatCannotBeApplied(t *testing.T) {
	const good = "project: tiny\nservices: {web: {}}\n"
	for path, text := range map[string]string{
		"config/dev.yaml":                 "project: tiny\nservises: {}\n",
		"kustomize/overlays/dev/all.yaml": "apiVersion: v1\nkind: [",
	} {
		d := newDev(stackOf(t, testkit.Project(good)))
		publishAnew(t, d)
		r := &reloading{Dev: d}
		r.manifestsUnit(d.env.current.project)
		before, known := *d.env.current, d.facts.Load()
		testkit.WriteFile(t, filepath.Join(d.cfg.Root, path), text)
		if _, err := r.applySaved(t.Context()); err == nil {
			t.Fatalf("%s was applied", path)
		}
		if now := d.env.current; now.stack != before.stack || now.project != before.project || d.facts.Load() != known {
			t.Errorf("after a broken %s the `zr dev` has something else", path)
		}
		if got := r.manifests.Plan(filepath.Join(d.cfg.Root, "kustomize/overlays/dev/all.yaml")).Action; got != event.Apply {
			t.Errorf("a save that fixes %s is taken for %q", path, got)
		}
	}
}

// TestADevThatCannotBegin leaves nothing: the next one has the environment.
func TestADevThatCannotBegin(t *testing.T) {
	ownState(t)
	files := testkit.Project("project: tiny\nservices: {web: {}}\n")
	files["kustomize/overlays/dev/all.yaml"] = "apiVersion: v1\nkind: ["
	s := stackOf(t, files)
	d := newDev(s)
	if err := d.Run(t.Context(), nil); err == nil {
		t.Fatal("it runs")
	}
	if _, err := os.Stat(d.scratch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder is still there: %v", err)
	}
	unlock, err := s.lockDev()
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// onServer is a `zr dev` on an API server of its own, without a node: what it runs is
// stopped. client is that of somebody with kubectl.
func onServer(t *testing.T) (d *Dev, said *testkit.Recorder, client func(group, resource string) dynamic.NamespaceableResourceInterface) {
	t.Helper()
	cfg := kubetest.Server(t)
	ownState(t)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	testkit.WriteFile(t, path, fmt.Sprintf(`{apiVersion: v1, kind: Config,
		clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}], users: [{name: u, user: {token: %q}}],
		contexts: [{name: team, context: {cluster: c, user: u}}]}`, cfg.Host, cfg.BearerToken))
	t.Setenv("KUBECONFIG", path)
	files := testkit.Project(sharedConfig)
	files["kustomize/overlays/dev/all.yaml"] = strings.Replace(testkit.Overlay, "spec:\n", "spec:\n  replicas: 0\n", 1) +
		"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: tiny}\n"
	s := stackOf(t, files)
	said = &testkit.Recorder{}
	s.sink, s.dev, s.options.Verb = said, &devMode{}, "dev"
	return newDev(s), said, func(group, resource string) dynamic.NamespaceableResourceInterface {
		return kubetest.Client(t, cfg, group, "v1", resource)
	}
}

// TestADev is brought up, keeps the one before where a save is broken, applies the
// next, and brings everything up again when its namespace is deleted.
func TestADev(t *testing.T) {
	d, said, client := onServer(t)
	get := func(group, resource, name string) *unstructured.Unstructured {
		t.Helper()
		found, err := client(group, resource).Namespace("tiny").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	config := filepath.Join(d.cfg.Root, "config/dev.yaml")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, make(chan Command)) }()
	until := func(what string, holds func(events []event.Event) bool) {
		t.Helper()
		waiting, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		for !holds(said.Events()) {
			select {
			case err := <-ended:
				t.Fatalf("it ended with %v before %s: %+v", err, what, said.Events())
			case <-waiting.Done():
				t.Fatalf("not yet: %s: %+v", what, said.Events())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	ready := func(times int) func([]event.Event) bool {
		return func(events []event.Event) bool {
			said := 0
			for _, e := range events {
				if _, ok := e.(event.Ready); ok {
					said++
				}
			}
			return said >= times
		}
	}
	problem := func(cleared bool) func([]event.Event) bool {
		return func(events []event.Event) bool {
			return slices.ContainsFunc(events, func(e event.Event) bool {
				p, ok := e.(event.Problem)
				return ok && p.Source == manifestsUnit && p.Cleared == cleared
			})
		}
	}
	level := func(want string) func([]event.Event) bool {
		return func([]event.Event) bool {
			return fmt.Sprint(get("", "configmaps", "settings").Object["data"]) == "map[LEVEL:"+want+"]"
		}
	}
	until("it is up", ready(1))
	testkit.WriteFile(t, config, "servises: {}\n")
	until("a broken save is told", problem(false))
	testkit.WriteFile(t, config, sharedConfig+"settings: {LEVEL: debug}\n")
	until("the save that fixes it is applied", problem(true))
	until("its settings are there", level("debug"))
	first := get("apps", "deployments", "web").GetUID()
	if err := client("", "namespaces").Delete(ctx, "tiny", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	until("it is up again", ready(2))
	if get("apps", "deployments", "web").GetUID() == first {
		t.Error("what was deleted with the namespace was not made anew")
	}
	testkit.WriteFile(t, config, sharedConfig+"settings: {LEVEL: info}\n")
	until("a save is applied to the new one", level("info"))
	get("coordination.k8s.io", "leases", "zr-tiny-dev") // that of the new namespace
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}
