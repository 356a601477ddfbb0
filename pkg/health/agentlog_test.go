package health

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"zr/pkg/agentspec"
	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/kube/object"
	"zr/pkg/probe"
)

// agentLog is what a container writes whose process ends as often, in the words
// of the agent.
func agentLog(at time.Time, times int) string {
	var log strings.Builder
	for i := range times {
		at = at.Add(time.Second)
		stamp := at.Format(time.RFC3339Nano)
		fmt.Fprintf(&log, "%s panic: no DATABASE_URL (%d)\n%s exit status 2\n", stamp, i+1, stamp)
		fmt.Fprintf(&log, `%s {"time":"x","level":"ERROR","msg":"the process ended","logger":"zr-agent","reason":"exited with status 2 after 12ms","restartIn":"100ms"}`+"\n", stamp)
	}
	return log.String()
}

// devPod is a pod under zr dev, which runs whatever its process does.
func devPod(t *testing.T, status string) *object.Pod {
	t.Helper()
	p := &object.Pod{}
	if err := yaml.Unmarshal([]byte(`{metadata: {name: api-2-a, namespace: ns, uid: api-2-a},
		spec: {containers: [{name: api, env: [{name: `+agentspec.EnvToken+`}]}]}, status: {`+status+`}}`), p); err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	readyStatus   = `phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: api, ready: true, state: {running: {}}}]`
	unreadyStatus = `phase: Running, conditions: [{type: Ready, status: "False"}], containerStatuses: [{name: api, state: {running: {}}}]`
)

func textOf(why *diagnose.Reason) string {
	if why == nil {
		return ""
	}
	return why.Text
}

// TestAProcessThatEndsUnderTheAgent is named by how it ended, and not by the
// probe that nobody answers.
func TestAProcessThatEndsUnderTheAgent(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	log := agentLog(began, 3)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/pods/api-2-a/log") {
			http.NotFound(w, r) // there is no port-forward
			return
		}
		fmt.Fprint(w, log)
	}))
	defer server.Close()
	g := New(clientOf(t, server.URL), nil)
	defer g.Close()
	for _, tc := range []struct {
		name   string
		probe  string
		status string
		after  time.Duration
		want   string
	}{
		{"it does not answer", probe.HTTP, unreadyStatus, 20 * time.Second, `the process in container "api" exited with status 2 after 12ms, for the 3. time`},
		{"it has run for long since, and does not answer", probe.HTTP, unreadyStatus, 2 * time.Minute, ""},
		{"nobody asks it", "", readyStatus, 5 * time.Second, `the process in container "api" exited with status 2 after 12ms, for the 3. time`},
		{"nobody asks it, and it runs on", "", readyStatus, 20 * time.Second, ""},
	} {
		target := Target{Target: diagnose.Target{Service: "api", Kind: "Deployment", Namespace: "ns", Probe: tc.probe}, Port: 1}
		p := devPod(t, tc.status)
		f := diagnose.Finding{Rollout: diagnose.Rollout{Done: true, Ready: 1, Desired: 1, Current: []*object.Pod{p}}}
		f.Answer, f.Process = g.inquire(t.Context(), target, p)
		f.Asked = true
		f.Hear(target.subject(), began.Add(tc.after))
		if textOf(f.Why) != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, textOf(f.Why), tc.want)
		}
		if f.Why != nil && (!slices.Equal(f.Why.Proof, []string{"panic: no DATABASE_URL (3)", "exit status 2"}) || status(f, target).State != event.Unhealthy) {
			t.Errorf("%s: the proof is %q, the state %s", tc.name, f.Why.Proof, status(f, target).State)
		}
	}
	f := diagnose.Finding{Process: &diagnose.Process{UID: "gone", Ends: 1, Last: began}}
	if f.Hear(diagnose.Target{}, began); f.Why != nil {
		t.Errorf("a pod that is gone stands for the service: %s", f.Why.Text)
	}
	ordinary := devPod(t, unreadyStatus)
	ordinary.Spec.Containers[0].Env = nil
	if _, told := g.inquire(t.Context(), Target{Target: diagnose.Target{Probe: probe.HTTP}, Port: 1}, ordinary); told != nil {
		t.Error("the log of a container without an agent was read for its words")
	}
}

// TestALineOfTheProcessIsNotTheAgents has a process that writes JSON of its own.
func TestALineOfTheProcessIsNotTheAgents(t *testing.T) {
	line, err := json.Marshal(map[string]string{"msg": agentEnded, "logger": "app", "reason": "none"})
	if err != nil {
		t.Fatal(err)
	}
	if told := endsIn([]logLine{{time.Now(), string(line)}}); told.Ends != 0 {
		t.Errorf("got %+v", told)
	}
}

// TestAProcessLoop is about when a process is given up that ends over and over.
func TestAProcessLoop(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := &waiting{hopeful: map[string]bool{}}
	v := &targetWait{call: w, target: Target{Target: diagnose.Target{Service: "api"}}}
	v.last.Why = &diagnose.Reason{Cause: diagnose.Crash, Process: true}
	tell := func(end time.Duration) { v.heard(reply{process: &diagnose.Process{Last: now.Add(end)}}) }
	tell(0) // from before
	for _, end := range []time.Duration{time.Second, time.Second, 2 * time.Second, 4 * time.Second} {
		tell(end)
	}
	if len(v.ends) != 3 {
		t.Fatalf("%d ends were seen, want 3", len(v.ends))
	}
	v.ends[0] = now
	for _, step := range []struct {
		name   string
		after  time.Duration
		beside bool
		want   bool
	}{
		{"a moment later", processLoop - 1, false, false},
		{"nothing else comes up", processLoop, false, true},
		{"another may come up that it waits for", processLoop, true, false},
		{"that took too long", processLoopBeside, true, true},
	} {
		w.hopes("db", step.beside)
		if got := v.hopeless(now.Add(step.after)); got != step.want {
			t.Errorf("%s: gave up is %v", step.name, got)
		}
	}
	v.ends = v.ends[:2]
	if v.hopeless(now.Add(time.Hour)) {
		t.Error("gave up after two ends")
	}
}
