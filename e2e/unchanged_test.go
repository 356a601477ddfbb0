package e2e

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"zr/internal/lab"
)

// testUnchanged runs up again with nothing changed.
func testUnchanged(t *testing.T, p *lab.Project) {
	p.Must("up") // so that what starts late has started
	before, writesBefore := pods(p), writes(t, p)
	r := p.Must("up", "-o", "json")
	if after := writes(t, p); after != writesBefore {
		t.Errorf("an up with nothing to do sent %d write requests", after-writesBefore)
	}
	if after := pods(p); after != before {
		t.Errorf("pods before:\n%s\nand after:\n%s", before, after)
	}
	for _, e := range r.Events {
		if e.Text("step") == "images" {
			t.Errorf("the nodes were asked about images: %v", e)
		}
		if e.Text("type") == "step.done" && e["unchanged"] != true {
			t.Errorf("a step did something: %v", e)
		}
	}
}

// writing matches a counter of the API server, of a verb that writes, dry runs
// included, on a kind of object that a stack consists of. Leases, events and
// statuses are written all the time, by others.
var writing = regexp.MustCompile(`^apiserver_request_total\{.*resource="(namespaces|configmaps|secrets|services|serviceaccounts|persistentvolumeclaims|deployments|statefulsets|roles|rolebindings|networkpolicies)",.*subresource="",.*verb="(POST|PUT|PATCH|APPLY|DELETE|DELETECOLLECTION)".*\} (\S+)$`)

// writes is how many write requests the API server has served.
func writes(t *testing.T, p *lab.Project) int {
	t.Helper()
	total := 0
	for line := range strings.Lines(p.Kubectl("get", "--raw", "/metrics")) {
		if m := writing.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			n, err := strconv.ParseFloat(m[3], 64)
			if err != nil {
				t.Fatal(err)
			}
			total += int(n)
		}
	}
	if total == 0 {
		t.Fatal("the API server counts no writes at all: the metric has another form")
	}
	return total
}

// testOneLine changes one line of the api: only its layer travels, only it rolls.
func testOneLine(t *testing.T, p *lab.Project) {
	before := pods(p)
	p.Replace("internal/api/version.go", `"0.1.0"`, `"0.1.0-line"`)
	r := p.Must("up", "-o", "json")
	var sent int64
	for _, e := range r.Events {
		if e.Text("type") == "step.progress" && e.Text("step") == "images" && e.Text("unit") == "bytes" {
			if done, ok := e["done"].(float64); ok {
				sent = max(sent, int64(done))
			}
		}
	}
	api := builtAPI(t, p)
	if sent == 0 || sent > api.TopLayer+64<<10 {
		t.Errorf("%d bytes were sent for a layer of %d", sent, api.TopLayer)
	}
	onlyAPIRolled(t, p, before)
	says(t, "http://localhost:13001/health", api.Build)
}

// onlyAPIRolled compares the pods with those of before. The one that was
// replaced takes a moment to end.
func onlyAPIRolled(t *testing.T, p *lab.Project, before string) {
	t.Helper()
	lab.Eventually(t, "the pods", func() string {
		after := pods(p)
		for line := range strings.Lines(before) {
			rolled := !strings.Contains(after, line)
			if isAPI := strings.HasPrefix(line, "api "); rolled != isAPI {
				return "before:\n" + before + "after:\n" + after
			}
		}
		return ""
	})
}

type built struct {
	Service  string
	Build    string
	TopLayer int64 // bytes
}

func builtAPI(t *testing.T, p *lab.Project) built {
	t.Helper()
	var all []built
	if err := json.Unmarshal([]byte(p.Must("images", "build", "-o", "json").Stdout), &all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if b.Service == "api" {
			return b
		}
	}
	t.Fatal("the api was not built")
	return built{}
}

// testSettings changes a setting: the pods that read it roll, the others stay.
func testSettings(t *testing.T, p *lab.Project) {
	before := pods(p)
	p.Replace("config/dev.yaml", "LOG_LEVEL: debug", "LOG_LEVEL: info")
	p.Must("up")
	onlyAPIRolled(t, p, before)
}

// testDown takes the workloads away and brings them back: the data is there.
func testDown(t *testing.T, p *lab.Project) {
	sql := func(statement string) string {
		return strings.TrimSpace(p.Kubectl("exec", "-n", "zr-dev", "postgres-0", "--", "psql", "-U", "zr", "-At", "-c", statement))
	}
	sql("create table kept (word text); insert into kept values ('still here')")
	p.Must("down")
	if left := strings.TrimSpace(pods(p)); left != "" {
		t.Errorf("pods after down:\n%s", left)
	}
	p.Must("up")
	if got := sql("select word from kept"); got != "still here" {
		t.Errorf("after down and up the table holds %q", got)
	}
	p.Must("down", "--purge", "--yes")
	p.Fails(1, []string{"zr up"}, "status")
}
