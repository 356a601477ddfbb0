package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/internal/lab"
)

// TestDashboardOfAnyProject brings zr's dashboard up beside a project that knows
// nothing of it, with a zr that has its images beside it and no sources, uses its
// api, and takes it down again.
func TestDashboardOfAnyProject(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-any", map[string]int{"greeter": 21410, "web": 21411})
	p.Bin = lab.Released(t)
	p.Replace("config/dev.yaml", "services:", "dashboard: true\nservices:")
	up := p.Must("up", "-o", "json")
	ready := up.Events[len(up.Events)-1]
	endpoints, _ := ready["endpoints"].(map[string]any)
	home, _ := endpoints["dashboard"].(string)
	link := ready.Text("login")
	base, _, _ := strings.Cut(link, "/login#")
	if home == "" || base == "" {
		t.Fatalf("the last event is %v", ready)
	}
	if got := lab.Get(t, home); !strings.Contains(got, "greeter") {
		t.Errorf("the dashboard at %s does not show the service greeter", home)
	}
	token := strings.TrimSpace(p.Must("token", "--role", "operator", "e2e").Stdout)
	a := &dashboardAPI{t, base + "/api/v1", token}

	t.Run("its two services", func(t *testing.T) {
		var services struct {
			Namespace string
			Services  []struct{ Name, State string }
		}
		a.get("/services?environment=hello", &services)
		if s := services.Services; services.Namespace != "hello" || len(s) != 2 || s[0].Name != "greeter" || s[1].Name != "web" || s[0].State != "healthy" || s[1].State != "healthy" {
			t.Errorf("got %+v", services)
		}
	})
	t.Run("each is asked at its own probe", func(t *testing.T) { testAsked(t, a, "hello") })
	t.Run("nothing of other namespaces", func(t *testing.T) {
		for _, namespace := range []string{"kube-system", "zr-dashboard"} {
			if status, body := a.ask(http.MethodGet, "/services?environment="+namespace, ""); status != http.StatusNotFound {
				t.Errorf("%s: %d %s", namespace, status, body)
			}
		}
		can := func(namespace, verb, resource string) string {
			out := p.Kubectl("auth", "can-i", "--as=system:serviceaccount:zr-dashboard:api", "-n", namespace, "--list", "--no-headers")
			for line := range strings.Lines(out) {
				if fields := strings.Fields(line); len(fields) > 0 && fields[0] == resource && strings.Contains(line, verb) {
					return "yes"
				}
			}
			return "no"
		}
		if got := can("hello", "patch", "deployments.apps") + can("hello", "list", "secrets") + can("kube-system", "list", "pods") + can("zr-dashboard", "list", "pods"); got != "yesnonono" {
			t.Errorf("deployments of hello, its secrets, pods of kube-system, pods of its own: %s", got)
		}
	})
	var found struct {
		Lines []struct{ Service, Pod, Message string }
	}
	t.Run("logs are found", func(t *testing.T) {
		a.until(func() bool {
			a.get("/logs?environment=hello&service=greeter", &found)
			return len(found.Lines) > 0
		})
		if found.Lines[0].Service != "greeter" {
			t.Errorf("got %+v", found)
		}
	})
	t.Run("a service is restarted", func(t *testing.T) {
		name := func() string {
			return p.Kubectl("get", "pods", "-n", "hello", "-l", "app.kubernetes.io/name=greeter", "--field-selector=status.phase=Running", "-o", "name")
		}
		before := name()
		status, body := a.ask(http.MethodPost, "/services/greeter/restart?environment=hello", "")
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		a.until(func() bool {
			after := name()
			return after != "" && after != before && !strings.Contains(after, before)
		})
		p.Must("status")
	})
	t.Run("zr logs has the lines of a pod that is gone", func(t *testing.T) {
		of := found.Lines[0]
		a.until(func() bool { return !strings.Contains(p.Kubectl("get", "pods", "-n", "hello", "-o", "name"), of.Pod) })
		said := p.Must("logs", "--since", "2h", "--grep", regexp.QuoteMeta(of.Message), "-o", "json", "greeter").Events
		from := func(e lab.Event) bool { return strings.HasPrefix(e.Text("text"), "from the history of the api at ") }
		line := func(e lab.Event) bool { return e.Text("pod") == of.Pod && strings.Contains(e.Text("text"), of.Message) }
		if !slices.ContainsFunc(said, from) || !slices.ContainsFunc(said, line) {
			t.Errorf("of %+v it says %v", of, said)
		}
	})
	t.Run("a service is rolled back", func(t *testing.T) {
		p.Replace("greeter/words/words.go", `"!\n"`, `"?\n"`)
		p.Must("up")
		if got := lab.Get(t, greetingPage); !strings.HasSuffix(got, "?\n") { // at zr's word
			t.Errorf("after an up it greets %q", got)
		}
		var list struct{ Revisions []struct{ Revision int64 } }
		a.get("/services/greeter/revisions?environment=hello", &list)
		if len(list.Revisions) < 2 {
			t.Fatalf("got %+v", list)
		}
		body := fmt.Sprintf(`{"revision":%d}`, list.Revisions[1].Revision)
		if status, answer := a.ask(http.MethodPost, "/services/greeter/rollback?environment=hello", body); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		// The api has only said that it rolls: who asks meanwhile may be refused.
		a.until(func() bool { return strings.HasSuffix(page(greetingPage), "!\n") })
	})
	t.Run("its services in a browser", func(t *testing.T) {
		testBrowser(t, "services", append(p.Commands(), "BASE_URL="+home)...)
	})
	t.Run("what is stopped stays stopped", func(t *testing.T) { testStopped(t, p, a) })
	t.Run("a setting is changed", func(t *testing.T) { testConfiguration(t, p, a) })
	t.Run("the attached zr dev is asked", func(t *testing.T) { testAttached(t, p, a, home) })
	t.Run("another environment shares it", func(t *testing.T) { testSharedDashboard(t, a, home) })
	t.Run("down takes it along", func(t *testing.T) {
		p.Must("down")
		if left := p.Kubectl("get", "pods,services,roles,rolebindings", "-n", "zr-dashboard", "-o", "name"); left != "" {
			t.Errorf("after down there is:\n%s", left)
		}
		if roles := p.Kubectl("get", "clusterroles,clusterrolebindings", "-o", "name"); strings.Contains(roles, "zr-dashboard") {
			t.Errorf("after down there is:\n%s", roles)
		}
		if got := p.Kubectl("get", "rolebindings", "-A", "-l", "zr.dev/environment", "-o", "name"); got != "" {
			t.Errorf("after down there is %s", got)
		}
	})
	t.Run("purge leaves nothing", func(t *testing.T) {
		p.Must("up", "--dashboard=false") // with what is kept of the dashboard's data
		p.Must("down", "--purge", "--yes")
		if left := lab.Output(t, "", lab.EngineName(), "ps", "-aq", "--filter", "name=zrtest-any-"); left != "" {
			t.Errorf("a container is left: %s", left)
		}
		if _, err := http.Get(home); err == nil {
			t.Errorf("something still answers at %s", home)
		}
	})
}

// testSharedDashboard brings a second environment up on the cluster, and takes it down.
func testSharedDashboard(t *testing.T, a *dashboardAPI, page string) {
	serves := func(want ...string) func() bool {
		return func() bool {
			var list struct{ Environments []struct{ Name string } }
			a.get("/environments", &list)
			var names []string
			for _, e := range list.Environments {
				names = append(names, e.Name)
			}
			return slices.Equal(names, want)
		}
	}
	other := lab.NewProject(t, "examples/hello", "zrtest-any-b", map[string]int{"greeter": 21420, "web": 21421})
	other.Replace("config/dev.yaml", "cluster:\n", "dashboard: true\ncluster:\n  name: zrtest-any-dev\n")
	for _, file := range []string{"kustomization", "namespace"} {
		other.Replace("kustomize/overlays/dev/"+file+".yaml", "hello", "hello-b")
	}
	other.Replace("kustomize/overlays/dev/greeter.yaml", ", nodePort: 30080", "")
	other.Replace("kustomize/overlays/dev/web.yaml", ", nodePort: 30081", "")
	other.Replace("kustomize/overlays/dev/kustomization.yaml", "resources:", "resources:\n  - policy.yaml")
	other.Write("kustomize/overlays/dev/policy.yaml", policyOfAProject)
	up := other.Must("up", "-o", "json")
	endpoints, _ := up.Events[len(up.Events)-1]["endpoints"].(map[string]any)
	if endpoints["dashboard"] != page {
		t.Errorf("it has its dashboard at %v, and the other at %s", endpoints["dashboard"], page)
	}
	a.until(serves("hello", "hello-b"))
	var services struct{ Services []struct{ Name string } }
	if a.get("/services?environment=hello-b", &services); len(services.Services) != 2 {
		t.Errorf("got %+v", services)
	}
	testAsked(t, a, "hello-b")                                                    // through the policy
	testBrowser(t, "environments", append(other.Commands(), "BASE_URL="+page)...) // which deletes it
	a.until(serves("hello"))
	lab.Get(t, page)
}

// policyOfAProject lets nobody of another namespace in.
const policyOfAProject = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ours}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {}
        - ipBlock: {cidr: 0.0.0.0/0, except: [10.244.0.0/16]}
`

// testAsked waits until the api has asked each service itself, and knows what it uses.
func testAsked(t *testing.T, a *dashboardAPI, environment string) {
	type readiness struct{ Asks, By, Why string }
	type service struct {
		Name, State string
		Readiness   readiness
		Measured    struct {
			Status    string
			LatencyMS float64
		}
	}
	a.until(func() bool {
		var list struct{ Services []service }
		a.get("/services?environment="+environment, &list)
		return len(list.Services) == 2 && list.Services[0].Readiness == readiness{Asks: "GET :8080/health", By: "api"} &&
			!slices.ContainsFunc(list.Services, func(s service) bool {
				return s.State != "healthy" || s.Readiness.By != "api" || s.Measured.Status != "ok" || s.Measured.LatencyMS <= 0
			})
	})
	a.until(func() bool {
		var details struct {
			UsageBy string
			Pods    []struct {
				Containers []struct{ MemoryBytes int64 }
				Answer     struct{ Text string }
			}
		}
		a.get("/services/greeter/details?environment="+environment, &details)
		if details.UsageBy != "kubelet" || len(details.Pods) != 1 || details.Pods[0].Answer.Text != "200 OK" {
			t.Logf("of greeter: %+v", details)
			return false
		}
		return len(details.Pods[0].Containers) == 1 && details.Pods[0].Containers[0].MemoryBytes > 0
	})
}

// dashboardAPI asks the api of a dashboard, with a token.
type dashboardAPI struct {
	t          *testing.T
	url, token string
}

func (a *dashboardAPI) ask(method, path, body string, headers ...string) (int, string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func (a *dashboardAPI) get(path string, into any) {
	a.t.Helper()
	status, body := a.ask(http.MethodGet, path, "")
	if status != http.StatusOK {
		a.t.Fatalf("%s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		a.t.Fatal(err)
	}
}

// until waits until something is so.
func (a *dashboardAPI) until(so func() bool) {
	a.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			a.t.Fatal("it does not come to be so")
		}
	}
}
