package stack

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/cluster/statedir"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// checkout is a folder with the project "tiny", opened as an instance or, with
// "", as the environment that all share. All of a test share one state.
func checkout(t *testing.T, dir, instance string) (*project, *testkit.Recorder) {
	t.Helper()
	for path, text := range testkit.Project("project: tiny\nservices: {web: {}}\n") {
		testkit.WriteFile(t, filepath.Join(dir, path), text)
	}
	cfg, err := Load(dir, "dev", instance, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	said := &testkit.Recorder{}
	s, err := Open(cfg, said, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	p, err := s.render(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p, said
}

func ownState(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
}

// hostPorts are the ports of this machine by their Service.
func hostPorts(t *testing.T, p *project) map[string]int32 {
	t.Helper()
	ports, err := p.publishPorts()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int32{}
	for _, port := range ports {
		out[port.name] = port.host
	}
	return out
}

func claims(t *testing.T, p *project) {
	t.Helper()
	p, err := p.claim()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.claimed(); err != nil {
		t.Fatal(err)
	}
}

// TestInstancesHaveTheirOwn brings two instances of one project to the point
// where their clusters would be made: names and ports are apart, and stay.
func TestInstancesHaveTheirOwn(t *testing.T) {
	ownState(t)
	main, other := t.TempDir(), t.TempDir()
	a, _ := checkout(t, main, "a")
	claims(t, a)
	b, _ := checkout(t, other, "b")
	claims(t, b)
	if a.set() == b.set() || a.clusterName() != "tiny-dev-a" || b.clusterName() != "tiny-dev-b" {
		t.Errorf("%s and %s, on %s and %s", a.set(), b.set(), a.clusterName(), b.clusterName())
	}
	seen := map[int32]string{80: "the shared web", 81: "the shared api"}
	for _, s := range []*project{a, b} {
		for service, port := range hostPorts(t, s) {
			if seen[port] != "" {
				t.Errorf("%s of %s has the port %d of %s", service, s.set(), port, seen[port])
			}
			seen[port] = service + " of " + s.set()
		}
	}
	again, _ := checkout(t, main, "a")
	if got, want := hostPorts(t, again), hostPorts(t, a); got["web"] != want["web"] || got["api"] != want["api"] {
		t.Errorf("the ports are %v, and were %v", got, want)
	}
	if got := hostPorts(t, a); got["web"]-80 != got["api"]-81 {
		t.Errorf("the ports are not as far apart as they were: %v", got)
	}
}

// TestInstancePortIsFree has somebody else listen where the next port would be.
func TestInstancePortIsFree(t *testing.T) {
	ownState(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := int32(l.Addr().(*net.TCPAddr).Port)
	var o ownPorts
	got, err := o.choose("tiny-dev-a", taken-portStep)
	if err != nil || got == taken || (got-taken)%portStep != 0 {
		t.Errorf("%d, %v", got, err)
	}
}

// TestCheckoutsAreToldOfEachOther brings one environment up from two folders in
// turn.
func TestCheckoutsAreToldOfEachOther(t *testing.T) {
	ownState(t)
	first, second := t.TempDir(), t.TempDir()
	for _, step := range []struct{ dir, other string }{{first, ""}, {first, ""}, {second, first}, {second, ""}, {first, second}} {
		s, said := checkout(t, step.dir, "")
		claims(t, s)
		var notices []event.Notice
		for _, e := range said.Events() {
			if n, ok := e.(event.Notice); ok {
				notices = append(notices, n)
			}
		}
		if told := len(notices) > 0; told != (step.other != "") {
			t.Errorf("in %s, after %q: %v", step.dir, step.other, notices)
		} else if told && (!strings.Contains(notices[0].Text, step.other) || !strings.Contains(notices[0].Hint, "--as")) {
			t.Errorf("%+v", notices[0])
		}
	}
	// A folder that is gone is nobody's any more.
	if err := os.RemoveAll(first); err != nil {
		t.Fatal(err)
	}
	s, said := checkout(t, second, "")
	claims(t, s)
	if len(said.Events()) > 0 {
		t.Errorf("%v", said.Events())
	}
}

// TestRunThatFailsTakesNothingOver ends before anything was changed.
func TestRunThatFailsTakesNothingOver(t *testing.T) {
	ownState(t)
	first, second := t.TempDir(), t.TempDir()
	s, _ := checkout(t, first, "")
	claims(t, s)
	s, _ = checkout(t, second, "")
	if _, err := s.claim(); err != nil {
		t.Fatal(err)
	}
	if got := statedir.ReadEnvironment(s.set()).Checkout; got != first {
		t.Errorf("the environment is that of %q", got)
	}
}

// TestPurgeFromAnotherCheckout does not delete what another one has brought up.
func TestPurgeFromAnotherCheckout(t *testing.T) {
	ownState(t)
	first, second := filepath.Join(t.TempDir(), "the first"), t.TempDir()
	s, _ := checkout(t, first, "")
	claims(t, s)
	s, _ = checkout(t, second, "")
	err := s.purge(t.Context())
	if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), first) || fault.HintOf(err) != "delete it from there: `zr down -C '"+first+"' --purge`" {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
	claims(t, s) // it has joined
	if err := s.mayPurge(); err != nil {
		t.Error(err)
	}
}

// TestAnEnvironmentThatIsGoneIsForgotten, and with it the instance that its checkout
// had chosen.
func TestAnEnvironmentThatIsGoneIsForgotten(t *testing.T) {
	ownState(t)
	dir := t.TempDir()
	s, _ := checkout(t, dir, "blue")
	claims(t, s)
	if got := Instance(dir, "dev"); got != "blue" {
		t.Errorf("the checkout has instance %q", got)
	}
	if err := s.forget(); err != nil {
		t.Fatal(err)
	}
	if got := Instance(dir, "dev"); got != "" {
		t.Errorf("the checkout still has instance %q", got)
	}
}
