package fleet

import (
	"encoding/json"
	"strings"
	"testing"

	"zr/internal/api/logstore/redact"
	"zr/internal/api/usage"
)

// A service with all that details can tell, and secrets in each place that a manifest
// can have one.
var described = [][2]string{
	{"deployments", `{"metadata":{"name":"web","namespace":"n","uid":"d","generation":1,"annotations":{"deployment.kubernetes.io/revision":"1"}},"spec":{"replicas":1,"template":{
		"metadata":{"labels":{"app":"web"}},"spec":{
		"initContainers":[{"name":"migrate","image":"web:1"},{"name":"mesh","image":"mesh:1","restartPolicy":"Always"}],
		"containers":[{"name":"web","image":"web:1",
			"ports":[{"name":"http","containerPort":8080,"protocol":"TCP"}],
			"envFrom":[{"configMapRef":{"name":"settings"},"prefix":"S_"},{"secretRef":{"name":"more"}},{"configMapRef":{"name":"others"}}],
			"env":[{"name":"PLAIN","value":"yes"},{"name":"PAYMENT_API_KEY","value":"planted-one"},{"name":"STORE","value":"postgres://u:planted-two@db/x"},{"name":"NOTE","value":"known planted-three"},
				{"name":"PASS","valueFrom":{"secretKeyRef":{"name":"secrets","key":"PASS"}}},{"name":"LEVEL","valueFrom":{"configMapKeyRef":{"name":"settings","key":"LOG_LEVEL"}}},
				{"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}],
			"resources":{"requests":{"cpu":"25m"},"limits":{"memory":"64Mi"}},
			"readinessProbe":{"httpGet":{"path":"/health","port":"http","scheme":"HTTP"},"periodSeconds":2,"timeoutSeconds":1,"failureThreshold":3},
			"livenessProbe":{"exec":{"command":["check","planted-three"]},"periodSeconds":10},
			"startupProbe":{"grpc":{"port":8081,"service":"web"}}}]}}},"status":{"observedGeneration":1}}`},
	{"replicasets", `{"metadata":{"name":"web-1","uid":"rs","annotations":{"deployment.kubernetes.io/revision":"1"},"ownerReferences":[{"uid":"d","controller":true}]}}`},
	{"pods", `{"metadata":{"name":"web-1-x","namespace":"n","uid":"p","creationTimestamp":"2026-01-02T11:00:00Z","labels":{"app":"web"},"ownerReferences":[{"uid":"rs","controller":true}]},"spec":{"nodeName":"node"},
		"status":{"phase":"Running","podIP":"10.0.0.7","hostIP":"10.0.0.1","containerStatuses":[{"name":"web","image":"web:1","imageID":"registry/web@sha256:abc","ready":true,"restartCount":2,
		"state":{"running":{"startedAt":"2026-01-02T11:30:00Z"}},"lastState":{"terminated":{"reason":"OOMKilled","exitCode":137,"finishedAt":"2026-01-02T11:29:00Z"}}}]}}`},
	{"services", `{"metadata":{"name":"web","namespace":"n","uid":"s"},"spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80,"protocol":"TCP"}]}}`},
}

func TestDetails(t *testing.T) {
	r := NewReader(nil, nil, Self{}, redact.New([]string{"planted-three"}))
	s := held(t, described...)
	use := usage.Report{By: usage.ByKubelet, Of: map[usage.Container]usage.Use{{Pod: "web-1-x", Name: "web"}: {Cores: 0.25, Memory: 1 << 20}}}
	d := r.details(s, workloads(s)[0], map[string]string{"LOG_LEVEL": "debug", "TOKEN": "planted-four"}, use)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "planted") {
		t.Errorf("a secret is in %s", text)
	}
	if d.RolledOut == nil || d.RolledOut.Hour() != 11 || len(d.Ports) != 1 || d.Ports[0] != (LedPort{"web", "http", 80, "TCP"}) {
		t.Errorf("got %s", text)
	}
	if len(d.Containers) != 3 || !d.Containers[0].Init || d.Containers[1].Init {
		t.Fatalf("the containers are %s", text)
	}
	web := d.Containers[2]
	var said []string
	for _, v := range web.Env {
		value := "-"
		if v.Value != nil {
			value = *v.Value
		}
		said = append(said, strings.Join([]string{v.Name, value, v.From, v.Key}, " "))
	}
	want := []string{
		"S_LOG_LEVEL debug ConfigMap/settings LOG_LEVEL", "S_TOKEN - ConfigMap/settings TOKEN", " - Secret/more ", " - ConfigMap/others ",
		"PLAIN yes  ", "PAYMENT_API_KEY -  ", "STORE postgres://[redacted]@db/x  ", "NOTE known [redacted]  ",
		"PASS - Secret/secrets PASS", "LEVEL debug ConfigMap/settings LOG_LEVEL", "IP - field status.podIP ",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("the variables are\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	said = nil
	for _, q := range web.Probes {
		said = append(said, q.Of+" "+q.Asks)
	}
	if got := strings.Join(said, ", "); got != "startup gRPC health :8081 web, readiness GET :8080/health, liveness exec check [redacted]" {
		t.Errorf("the probes are %s", got)
	}
	if q := web.Probes[1]; q.Every != 2 || q.Limit != 1 || q.Fails != 3 {
		t.Errorf("readiness is asked %+v", q)
	}
	if web.Requests.CPU != "25m" || web.Limits.Memory != "64Mi" || web.Ports[0] != (Port{"http", 8080, "TCP"}) {
		t.Errorf("got %+v", web)
	}
	c := d.Pods[0].Containers[0]
	if d.Pods[0].Address != "10.0.0.7" || c.Digest != "sha256:abc" || c.State != "running" || c.Last == nil || c.Last.Reason != "OOMKilled" || c.Last.ExitCode != 137 ||
		c.Cores == nil || *c.Cores != 0.25 || c.Memory == nil || *c.Memory != 1<<20 {
		t.Errorf("the pod is %s", text)
	}
}
