package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"zr/internal/lab"
)

const greetingPage = "http://localhost:21410/greet"

// testStopped stops a service by the api: it stays stopped through an up, which says so,
// until it is started.
func testStopped(t *testing.T, p *lab.Project, a *dashboardAPI) {
	act := func(what string) {
		t.Helper()
		if status, body := a.ask(http.MethodPost, "/services/web/"+what+"?environment=hello", ""); status != http.StatusOK {
			t.Fatalf("%s: %d %s", what, status, body)
		}
	}
	act("stop")
	if up := p.Must("up"); !strings.Contains(up.Stdout+up.Stderr, "stopped it at") {
		t.Errorf("it does not say who stopped it:\n%s%s", up.Stdout, up.Stderr)
	}
	var web struct {
		Desired int
		Reason  struct{ Code string }
	}
	if a.get("/services/web?environment=hello", &web); web.Desired != 0 || web.Reason.Code != "stopped" {
		t.Errorf("after an up: %+v", web)
	}
	act("start")
	a.until(func() bool { return p.ZR("status").Code == 0 }) // its Service follows its pods
}

// written is what the api answers to a change of settings.
type written struct {
	Revision int64
	File     string
}

// settings gives the environment other settings by the api, or has it go back to some.
func (a *dashboardAPI) settings(method, path string, body map[string]string) (w written) {
	a.t.Helper()
	var now struct{ ETag string }
	a.get("/configuration?environment=hello", &now)
	body["reason"] = "an end-to-end test"
	text, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	status, answer := a.ask(method, path+"?environment=hello", string(text), "If-Match", now.ETag)
	if status != http.StatusOK {
		a.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if err := json.Unmarshal([]byte(answer), &w); err != nil {
		a.t.Fatal(err)
	}
	return w
}

// greets waits until what answers has a greeting.
func (a *dashboardAPI) greets(with string) {
	a.t.Helper()
	a.until(func() bool { return strings.HasPrefix(page(greetingPage), with) })
}

// testConfiguration changes a setting by the api: it is rolled, is a revision that can be
// gone back from, is shown as what has diverged, and taken over into the file.
func testConfiguration(t *testing.T, p *lab.Project, a *dashboardAPI) {
	first := a.settings(http.MethodPut, "/configuration", map[string]string{"text": "GREETING: Hi\n"})
	if first.Revision == 0 || first.File != "" {
		t.Errorf("got %+v", first)
	}
	a.greets("Hi")
	if diff := p.ZR("diff"); !strings.Contains(diff.Stdout, fmt.Sprintf("revision %d by ", first.Revision)) || !strings.Contains(diff.Stdout, "GREETING") {
		t.Errorf("what has diverged: %s%s", diff.Stdout, diff.Stderr)
	}
	var list struct{ Revisions []struct{ Revision int64 } }
	if a.get("/configuration/revisions?environment=hello", &list); len(list.Revisions) < 2 || list.Revisions[0].Revision != first.Revision {
		t.Fatalf("the revisions are %+v", list)
	}
	a.settings(http.MethodPost, fmt.Sprintf("/configuration/revisions/%d/restore", list.Revisions[1].Revision), map[string]string{})
	a.greets("Hello")
	a.settings(http.MethodPut, "/configuration", map[string]string{"text": "GREETING: Hey\n"})
	p.Must("config", "pull")
	if file := p.Read("config/dev.yaml"); !strings.Contains(file, "GREETING: Hey\n") {
		t.Errorf("the file is\n%s", file)
	}
	p.Must("up")
	a.greets("Hey")
}

// testAttached asks the zr dev of the environment, by the api.
func testAttached(t *testing.T, p *lab.Project, a *dashboardAPI, home string) {
	p.Write("worker/Dockerfile", "FROM scratch\nEXPOSE 9000\n")
	dev := p.Start("dev")
	dev.Wait(0, "the end of bringing it up", func(e lab.Event) bool { return e.Text("type") == "ready" })
	var list struct {
		Attached []struct {
			Verb    string
			Actions []string
		}
	}
	a.until(func() bool {
		a.get("/dev?environment=hello", &list)
		return len(list.Attached) == 1 && list.Attached[0].Verb == "dev"
	})
	var doctor struct {
		Findings []struct{ Name, Status, Detail string }
	}
	a.get("/dev/doctor?environment=hello", &doctor)
	for _, name := range []string{"container engine", "cluster", "images", "network policies"} {
		if i := slices.IndexFunc(doctor.Findings, func(f struct{ Name, Status, Detail string }) bool { return f.Name == name }); i < 0 || doctor.Findings[i].Status != "ok" {
			t.Errorf("%s is not among %+v", name, doctor.Findings)
		}
	}
	for folder, want := range map[string]int{"worker": http.StatusOK, "../..": http.StatusNotFound, "/etc": http.StatusNotFound} {
		if status, body := a.ask(http.MethodPost, "/dev/propose?environment=hello", `{"folder":"`+folder+`"}`); status != want || want == http.StatusOK && !strings.Contains(body, "containerPort: 9000") {
			t.Errorf("%s: %d %s", folder, status, body)
		}
	}
	if status, body := a.ask(http.MethodPost, "/dev/restart?environment=hello", `{"service":"greeter"}`); status != http.StatusOK {
		t.Errorf("restarting: %d %s", status, body)
	}
	if w := a.settings(http.MethodPut, "/configuration", map[string]string{"text": "GREETING: Howdy\n"}); w.File != "config/dev.yaml" || !strings.Contains(p.Read("config/dev.yaml"), "GREETING: Howdy\n") {
		t.Errorf("got %+v", w)
	}
	a.greets("Howdy")
	link := strings.TrimSpace(p.Must("dashboard").Stdout)
	testBrowser(t, "attached", "BASE_URL="+home, "LOGIN_LINK="+link, "PROJECT="+p.Dir)
	dev.Interrupt()
}
