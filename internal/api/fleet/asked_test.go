package fleet

import (
	"strings"
	"testing"
	"time"

	"zr/internal/api/logstore/redact"
	"zr/internal/api/podprobe"
	"zr/internal/api/probe"
)

// What pods answer counts beside what Kubernetes says of them: a failure once the probe
// calls it one, what was not asked never.
func TestWhatPodsAnswer(t *testing.T) {
	s := held(t, append(deployment(2, rolledOut), pod("web-2-a", "rs2", ready), pod("web-2-b", "rs2", ready))...)
	well := podprobe.Answer{Asks: "GET :80/", By: podprobe.ByAPI, Status: podprobe.Ready, Text: "200 OK", Latency: 2 * time.Millisecond}
	slow := well
	slow.Latency = 9 * time.Millisecond
	sick := podprobe.Answer{Asks: "GET :80/", By: podprobe.ByAPI, Status: podprobe.NotReady, Text: "503: no planted-one\nmore", Latency: time.Millisecond}
	failing := sick
	failing.Failing = true
	unasked := podprobe.Answer{Asks: "GET :80/", By: podprobe.ByKubelet, Status: podprobe.Ready, Why: "a NetworkPolicy may refuse it"}
	for name, c := range map[string]struct {
		a, b     podprobe.Answer
		state    State
		measured *probe.Result
		by       string
	}{
		"both well":            {well, slow, Healthy, &probe.Result{Status: probe.OK, LatencyMS: 9}, podprobe.ByAPI},
		"one fails":            {failing, slow, Unhealthy, &probe.Result{Status: probe.Down, LatencyMS: 1, Reason: "503: no [redacted]"}, podprobe.ByAPI},
		"one failed once":      {well, sick, Healthy, &probe.Result{Status: probe.Down, LatencyMS: 1, Reason: "503: no [redacted]"}, podprobe.ByAPI},
		"none can be asked":    {unasked, unasked, Healthy, nil, podprobe.ByKubelet},
		"one cannot be asked":  {unasked, well, Healthy, &probe.Result{Status: probe.OK, LatencyMS: 2}, podprobe.ByAPI},
		"one of them is slow":  {slow, well, Healthy, &probe.Result{Status: probe.OK, LatencyMS: 9}, podprobe.ByAPI},
		"the other one failed": {slow, failing, Unhealthy, &probe.Result{Status: probe.Down, LatencyMS: 1, Reason: "503: no [redacted]"}, podprobe.ByAPI},
	} {
		r := NewReader(nil, nil, Self{}, redact.New([]string{"planted-one"}))
		r.answerOf = func(of podprobe.Target) podprobe.Answer {
			if of.Pod.Name == "web-2-a" {
				return c.a
			}
			return c.b
		}
		all := services(s, now)
		r.addAsked(all)
		got := all[0]
		if got.State != c.state || got.Readiness.By != c.by || (got.Measured == nil) != (c.measured == nil) || got.Measured != nil && *got.Measured != *c.measured {
			t.Errorf("%s: %+v, measured %+v, readiness %+v", name, got, got.Measured, got.Readiness)
		}
		if c.state == Unhealthy && (got.Reason.Code != "unready" || !strings.Contains(got.Reason.Message, "GET :80/: 503: no [redacted]")) {
			t.Errorf("%s: the reason is %+v", name, got.Reason)
		}
	}
}
