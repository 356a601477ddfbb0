package stack

import (
	"testing"

	"zr/internal/testkit"
	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// What a run was asked for stands until a run is asked for something else.
func TestTheDashboardIsRemembered(t *testing.T) {
	ownState(t)
	dir := t.TempDir()
	for _, wanted := range []bool{true, false} {
		p, _ := checkout(t, dir, "")
		chosen, err := chooseDashboard(p.cfg, &wanted)
		if err != nil || chosen.Dashboard != wanted {
			t.Fatalf("asked for %v: %v", wanted, err)
		}
		claims(t, p)
		if p, _ := checkout(t, dir, ""); p.cfg.Dashboard != wanted {
			t.Errorf("asked for %v, and the next run has %v", wanted, p.cfg.Dashboard)
		}
	}
}

func TestTheDashboardOfAClusterOfOthers(t *testing.T) {
	wanted := true
	cfg := &config.Config{Cluster: config.Cluster{Provider: config.ProviderContext, Context: "shared"}}
	if _, err := chooseDashboard(cfg, &wanted); fault.Code(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
}

// All environments of a cluster share its dashboard, and hints about it are about the
// environment beside which it runs.
func TestOneDashboardForACluster(t *testing.T) {
	ownState(t)
	on := config.Cluster{Provider: config.ProviderKind, Name: "shared"}
	a := &config.Config{Project: "a", Env: "dev", Root: "/a", Cluster: on}
	b := &config.Config{Project: "b", Env: "test", Root: "/b", Cluster: on}
	if dashboardConfig(a).Set() != "zr-dashboard-shared" || dashboardConfig(b).Set() != "zr-dashboard-shared" {
		t.Errorf("got %q and %q", dashboardConfig(a).Set(), dashboardConfig(b).Set())
	}
	if got, want := linesOf(dashboardConfig(b)).Zr("up"), linesOf(b).Zr("up"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Its port stays the same, since its api is told where its pages are.
func TestTheDashboardKeepsItsPort(t *testing.T) {
	ownState(t)
	on := func(cluster string) *config.Config {
		return dashboardConfig(&config.Config{Cluster: config.Cluster{Provider: config.ProviderKind, Name: cluster}})
	}
	a, b := on("a"), on("b")
	first, err := dashboardHostPort(a)
	if err != nil {
		t.Fatal(err)
	}
	again, err := dashboardHostPort(a)
	if err != nil || again != first {
		t.Errorf("%d, then %d, %v", first, again, err)
	}
	other, err := dashboardHostPort(b)
	if err != nil || other == first {
		t.Errorf("another cluster has %d too, %v", other, err)
	}
}

func TestOnlyNoticesPass(t *testing.T) {
	var said testkit.Recorder
	sink := noticesOnly(&said)
	for _, e := range []event.Event{event.Notice{Text: "a"}, event.ServiceState{Service: "api"}, event.StepDone{Step: "apply"}} {
		sink.Emit(e)
	}
	if got := said.Events(); len(got) != 1 || got[0] != event.Event(event.Notice{Text: "a"}) {
		t.Errorf("got %v", got)
	}
}

// In a `zr dev` the key for the dashboard leads to the one beside the environment.
func TestTheDashboardOfADev(t *testing.T) {
	ownState(t)
	p, _ := checkout(t, t.TempDir(), "")
	d := newDev(p.Stack)
	now := d.env.current
	now.take(p)
	now.reached = []endpoint{{published: published{name: "web", host: 80}, scheme: "http"}}
	d.publish(now)
	if got := d.Dashboard(); got != "http://localhost:80" {
		t.Errorf("without one: %q", got)
	}
	now.dashboard = map[string]string{dashboardName: "http://localhost:3100"}
	d.publish(now)
	if urls := d.facts.Load().urls; d.Dashboard() != "http://localhost:3100" || len(urls) != 2 {
		t.Errorf("with one: %q, %v", d.Dashboard(), urls)
	}
}
