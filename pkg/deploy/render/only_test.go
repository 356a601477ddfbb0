package render_test

import (
	"slices"
	"testing"

	"zr/pkg/deploy/render/rendertest"
)

// TestOneServiceOfAnEnvironment renders the web server of an overlay alone, beside
// an environment that has its database.
func TestOneServiceOfAnEnvironment(t *testing.T) {
	p := rendertest.New(t)
	p.Options.Namespace, p.Options.Only = "ann", []string{"web"}
	p.Write("more.yaml", `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: db}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: db}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everywhere}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: nobodys}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
`)
	p.Edit("kustomization.yaml", "db.yaml", "db.yaml, more.yaml")
	r := p.Render()
	var got []string
	for _, o := range r.Objects {
		got = append(got, o.GetKind()+" "+o.GetName())
		if o.GetKind() == "Service" && o.GetName() == "db" {
			spec := o.Object["spec"].(map[string]any)
			if spec["type"] != "ExternalName" || spec["externalName"] != "db."+r.Borrowed.Namespace+".svc.cluster.local" || len(spec) != 2 {
				t.Errorf("the database is %v", spec)
			}
		}
	}
	slices.Sort(got)
	want := []string{"ConfigMap settings", "Deployment web", "HorizontalPodAutoscaler web", "Namespace ann", "PodDisruptionBudget web", "Secret secrets", "Service db", "Service web"}
	if !slices.Equal(got, want) {
		t.Errorf("rendered is %q, want %q", got, want)
	}
	if !slices.Equal(r.Borrowed.Services, []string{"db"}) || r.Borrowed.Namespace == "ann" {
		t.Errorf("borrowed is %+v", r.Borrowed)
	}
	if r.LeadNowhere() != nil {
		t.Errorf("%q", r.LeadNowhere())
	}
}
