package render_test

import (
	"slices"
	"strings"
	"testing"

	"zr/pkg/deploy/render/rendertest"
)

// TestWhatAWorkloadIsReachedBy has Services that are meant for a workload, and
// others.
func TestWhatAWorkloadIsReachedBy(t *testing.T) {
	const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: web, image: "example/web:1"}]}
`
	service := func(name, spec string) string {
		return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {" + spec + ", ports: [{port: 80}]}\n"
	}
	for name, tc := range map[string]struct {
		services string
		want     []string
	}{
		"those that select it":              {service("web", "selector: {app: web}") + service("lb", "type: LoadBalancer, selector: {tier: front, app: web}"), []string{"lb", "web"}},
		"one of its name that finds none":   {service("web", "selector: {app: webb}"), []string{"web"}},
		"one that finds others":             {service("api", "selector: {app: api}"), nil},
		"one whose endpoints somebody sets": {service("web", "type: ClusterIP"), nil},
		"one that is a name only":           {service("web", "type: ExternalName, externalName: a.test, selector: {app: web}"), nil},
	} {
		got := rendertest.Text(t, web+tc.services, nil).Workloads()[0]
		if !slices.Equal(got.Services, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got.Services, tc.want)
		}
	}
}

// TestAServiceThatSelectsNothing is told of where nobody else could make its pods.
func TestAServiceThatSelectsNothing(t *testing.T) {
	const job = `apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {metadata: {labels: {app: nightly}}, spec: {restartPolicy: Never, containers: [{name: nightly, image: "example/x:1"}]}}}}
`
	service := func(name, spec string) string {
		return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {" + spec + ", ports: [{port: 80}]}\n"
	}
	manifests := job + service("fine", "selector: {app: nightly}") + service("by-hand", "type: ClusterIP") + service("lost", "selector: {app: nighlty}")
	got := rendertest.Text(t, manifests, nil).LeadNowhere()
	if len(got) != 1 || !strings.HasSuffix(got[0], `Service "lost" selects the pods of nothing in the overlay`) {
		t.Errorf("got %q", got)
	}
	custom := "---\napiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one}\n"
	if got := rendertest.Text(t, manifests+custom, nil).LeadNowhere(); got != nil {
		t.Errorf("beside a custom object: %q", got)
	}
}

// TestWhoWantsNoPods has workloads that may have none.
func TestWhoWantsNoPods(t *testing.T) {
	workload := func(replicas string) string {
		return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
` + replicas + `
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/web:1"}]}
`
	}
	scaler := func(version, kind, spec string) string {
		return "---\napiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: web}\nspec: {" + spec + "}\n"
	}
	for _, tc := range []struct {
		name, manifests string
		replicas        int32
		idle            string
	}{
		{"nobody says", workload(""), 1, ""},
		{"the manifest", workload("  replicas: 0"), 0, "its manifest asks for 0 replicas"},
		{"an autoscaler has a least number", workload("  replicas: 0") + scaler("autoscaling/v2", "HorizontalPodAutoscaler", "minReplicas: 2, maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}"), 2, ""},
		{"an operator scales it", workload("") + scaler("keda.sh/v1alpha1", "ScaledObject", "scaleTargetRef: {name: web}"), 1, `ScaledObject "web" scales it to 0 replicas`},
	} {
		got := rendertest.Text(t, tc.manifests, nil).Workloads()[0]
		if got.Replicas != tc.replicas || got.Idle != tc.idle {
			t.Errorf("%s: got %d, %q", tc.name, got.Replicas, got.Idle)
		}
	}
}
