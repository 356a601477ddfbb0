package fleet

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"zr/internal/api/kube"
	"zr/internal/api/usage"
)

// pair are two pods of a Deployment: one runs with a sidecar, of the other one container
// has just begun and another has ended. A third pod is on its way out.
func pair(limits string) [][2]string {
	running := func(name string) string { return fmt.Sprintf(`{"name":%q,"state":{"running":{}}}`, name) }
	pod := func(name, more, statuses string) [2]string {
		return [2]string{"pods", fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"n","uid":%[1]q%s,"ownerReferences":[{"uid":"rs","controller":true}]},
			"spec":{"initContainers":[{"name":"mesh","restartPolicy":"Always","resources":{"limits":{"cpu":"1","memory":"1Mi"}}}],"containers":[{"name":"web","resources":{"limits":%s}}]},"status":{%s}}`, name, more, limits, statuses)}
	}
	return [][2]string{
		{"deployments", `{"metadata":{"name":"web","namespace":"n","uid":"d","annotations":{"deployment.kubernetes.io/revision":"1"}},"spec":{"replicas":2}}`},
		{"replicasets", `{"metadata":{"name":"web-1","uid":"rs","annotations":{"deployment.kubernetes.io/revision":"1"},"ownerReferences":[{"uid":"d","controller":true}]}}`},
		pod("one", "", `"initContainerStatuses":[`+running("mesh")+`],"containerStatuses":[`+running("web")+`]`),
		pod("two", "", `"initContainerStatuses":[{"name":"mesh","state":{"terminated":{}}}],"containerStatuses":[`+running("web")+`]`),
		pod("gone", `,"deletionTimestamp":"2026-01-02T12:00:00Z"`, `"containerStatuses":[`+running("web")+`]`),
	}
}

func TestUse(t *testing.T) {
	measured := usage.Report{By: usage.ByKubelet, Of: map[usage.Container]usage.Use{
		{Pod: "one", Name: "web"}: {Cores: 0.25, Memory: 100}, {Pod: "one", Name: "mesh"}: {Cores: 0.5, Memory: 10},
		{Pod: "gone", Name: "web"}: {Cores: 9, Memory: 9}, {Pod: "another", Name: "web"}: {Cores: 9, Memory: 9},
	}}
	for _, tc := range []struct {
		name, limits string
		of           usage.Report
		want         string
	}{
		{"with limits", `{"cpu":"500m","memory":"2Mi"}`, measured, `{"running":3,"measured":2,"cpuCores":0.75,"memoryBytes":110,"cpuCoresLimit":2,"memoryBytesLimit":5242880}`},
		{"one has no limit", `{"memory":"2Mi"}`, measured, `{"running":3,"measured":2,"cpuCores":0.75,"memoryBytes":110,"memoryBytesLimit":5242880}`},
		{"one cannot be read", `{"memory":"much"}`, measured, `{"running":3,"measured":2,"cpuCores":0.75,"memoryBytes":110}`},
		{"nothing is measured yet", `{}`, usage.Report{By: usage.ByKubelet}, `{"running":3,"measured":0,"cpuCores":0,"memoryBytes":0}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, err := json.Marshal(services(held(t, pair(tc.limits)...), time.Now())[0].Use(tc.of))
			if err != nil || string(text) != tc.want {
				t.Errorf("got %s, %v", text, err)
			}
		})
	}
	stopped := services(held(t, pair(`{}`)[:2]...), time.Now())[0]
	if use := stopped.Use(measured); use != (Use{}) {
		t.Errorf("nothing of it runs: %+v", use)
	}
}

// The newest change of what it is to be counts, and not what a controller says of how it is.
func TestLastWrite(t *testing.T) {
	entry := func(manager, sub string, second int) string {
		return fmt.Sprintf(`{"manager":%q,"operation":"Update","subresource":%q,"time":"2026-01-02T03:04:%02dZ","fieldsV1":{}}`, manager, sub, second)
	}
	const untimed = `{"manager":"kubectl","operation":"Update","subresource":"scale","fieldsV1":{}}`
	second := func(n int) time.Time { return time.Date(2026, 1, 2, 3, 4, n, 0, time.UTC) }
	for _, tc := range []struct {
		name, fields string
		want         Write
	}{
		{"nobody", "", Write{}},
		{"zr, then the dashboard", entry("zr", "", 1) + "," + entry("zr-api", "", 2) + "," + entry("kube-controller-manager", "status", 3), Write{Manager: "zr-api", At: second(2)}},
		{"the dashboard, then zr", entry("zr-api", "", 1) + "," + entry("zr", "", 2) + "," + entry("kube-controller-manager", "", 3), Write{Manager: "zr", At: second(2)}},
		{"two in one second", entry("kubectl-edit", "", 2) + "," + entry("zr-api", "", 2), Write{Manager: "", At: second(2)}},
		{"two in one second, and one later", entry("kubectl-edit", "", 2) + "," + entry("zr-api", "", 2) + "," + entry("zr", "", 3), Write{Manager: "zr", At: second(3)}},
		{"one twice in one second", entry("zr", "", 2) + "," + entry("zr", "", 2), Write{Manager: "zr", At: second(2)}},
		{"kubectl scale", untimed + "," + entry("zr", "", 1), Write{Manager: "zr", At: second(1), ScaledWith: "kubectl"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := held(t, [2]string{"deployments", `{"metadata":{"name":"web","uid":"d","annotations":{"zr.dev/act":"0700000000000000000000000000000f"},"managedFields":[` + tc.fields + `]}}`})
			tc.want.Act = kube.Key{0: 7, 15: 15}
			got, known := services(s, time.Now())[0].LastWrite()
			if got != tc.want || known == tc.want.At.IsZero() {
				t.Errorf("got %+v, %t", got, known)
			}
		})
	}
}
