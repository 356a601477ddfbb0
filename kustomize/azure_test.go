package kustomize_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"zr/pkg/deploy/render"
	"zr/pkg/livesync/layers"
)

// TestTheQuotaHoldsAllReplicas adds up what the pods ask for when every autoscaler
// is at its most and every rollout has its extra pods, a quarter of them, while zr
// pushes by a pod.
func TestTheQuotaHoldsAllReplicas(t *testing.T) {
	r := rendered(t, "staging")
	most := map[string]int64{"postgres": 1, "redis": 1}
	var hard corev1.ResourceList
	for _, o := range r.Objects {
		switch o.GetKind() {
		case "HorizontalPodAutoscaler":
			var scaler autoscalingv2.HorizontalPodAutoscaler
			convert(t, o.Unstructured, &scaler)
			most[scaler.Spec.ScaleTargetRef.Name] = int64(scaler.Spec.MaxReplicas + (scaler.Spec.MaxReplicas+3)/4)
		case "ResourceQuota":
			var quota corev1.ResourceQuota
			convert(t, o.Unstructured, &quota)
			hard = quota.Spec.Hard
		}
	}
	used := corev1.ResourceList{}
	add := func(name corev1.ResourceName, q resource.Quantity, times int64) {
		total := used[name]
		for range times {
			total.Add(q)
		}
		used[name] = total
	}
	for name, template := range templates(t, r) {
		if most[name] == 0 {
			t.Errorf("nobody says how many pods %s has at most", name)
		}
		add(corev1.ResourcePods, resource.MustParse("1"), most[name])
		for _, c := range template.Spec.Containers {
			add(corev1.ResourceRequestsCPU, *c.Resources.Requests.Cpu(), most[name])
			add(corev1.ResourceRequestsMemory, *c.Resources.Requests.Memory(), most[name])
			add(corev1.ResourceLimitsCPU, *c.Resources.Limits.Cpu(), most[name])
			add(corev1.ResourceLimitsMemory, *c.Resources.Limits.Memory(), most[name])
		}
	}
	add(corev1.ResourcePods, resource.MustParse("1"), 1)
	for name, q := range layers.Requests {
		add(corev1.ResourceName("requests."+name), resource.MustParse(q), 1)
	}
	for name, q := range layers.Limits {
		add(corev1.ResourceName("limits."+name), resource.MustParse(q), 1)
	}
	for name, total := range used {
		if limit, set := hard[name]; !set || total.Cmp(limit) > 0 {
			t.Errorf("%s: the pods may ask for %s, and the quota has %s", name, total.String(), limit.String())
		}
	}
}

// TestStagingIsReachedOverTLS follows the way from a browser to a pod.
func TestStagingIsReachedOverTLS(t *testing.T) {
	r := rendered(t, "staging")
	var ways int
	for _, o := range r.Objects {
		switch o.GetKind() {
		case "Ingress":
			ways++
			var ingress networkingv1.Ingress
			convert(t, o.Unstructured, &ingress)
			spec := ingress.Spec
			if len(spec.TLS) != 1 || len(spec.Rules) != 1 || !slices.Equal(spec.TLS[0].Hosts, []string{spec.Rules[0].Host}) {
				t.Fatalf("the hosts of the certificate and of the rules are %v and %v", spec.TLS, spec.Rules)
			}
			backend := spec.Rules[0].HTTP.Paths[0].Backend.Service
			if !slices.ContainsFunc(r.Services(), func(s render.Service) bool {
				return s.Name == backend.Name && slices.ContainsFunc(s.Ports, func(p render.ServicePort) bool { return p.Name == backend.Port.Name })
			}) {
				t.Errorf("it leads to %s:%s, which is no Service", backend.Name, backend.Port.Name)
			}
		case "StatefulSet":
			var set appsv1.StatefulSet
			convert(t, o.Unstructured, &set)
			if class := set.Spec.VolumeClaimTemplates[0].Spec.StorageClassName; class == nil || *class != "managed-csi-premium" {
				t.Errorf("%s has its data on %v", set.Name, class)
			}
		}
	}
	if ways != 1 {
		t.Errorf("there are %d ways in", ways)
	}
	world := newWorld(t, r, kindPods)
	world.namespaces["app-routing-system"] = labels.Set{"kubernetes.io/metadata.name": "app-routing-system"}
	world.peers = append(world.peers, peer{name: "ingress", namespace: "app-routing-system", labels: labels.Set{"app": "nginx"}, address: netip.MustParseAddr("10.244.0.99")})
	var open []string
	for _, c := range world.connections() {
		if strings.HasPrefix(c, "ingress -> ") {
			open = append(open, c)
		}
	}
	if want := []string{"ingress -> frontend TCP 3000"}; !slices.Equal(open, want) {
		t.Errorf("the controller reaches %v, want %v", open, want)
	}
}

// TestManagedData takes the databases out of staging.
func TestManagedData(t *testing.T) {
	dir := t.TempDir()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(dir, here)
	if err != nil {
		t.Fatal(err)
	}
	text := "namespace: zr-staging\nresources: [" + up + "/overlays/staging]\ncomponents: [" + up + "/components/managed-data]\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(t, "staging")
	o.Overlay = dir
	r, err := render.Render(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Objects {
		if name := o.GetName(); name == "postgres" || name == "redis" {
			t.Errorf("%s %s is still there", o.GetKind(), name)
		}
	}
	world := newWorld(t, r, kindPods)
	world.ports = append(world.ports, port{"TCP", 5432}, port{"TCP", 10000})
	connections := world.connections()
	for _, want := range []string{"api -> outside TCP 5432", "api -> outside TCP 10000", "api -> outside TCP 443", "frontend -> api TCP 3001"} {
		if !slices.Contains(connections, want) {
			t.Errorf("not allowed, and should be: %s", want)
		}
	}
}

// TestWhatIsAmazonsIsNotAzures compares the two overlays: they differ in classes and
// ranges alone.
func TestWhatIsAmazonsIsNotAzures(t *testing.T) {
	names := func(overlay string) (names []string) {
		for _, o := range rendered(t, overlay).Objects {
			if id := o.GetKind() + "/" + o.GetName(); o.GetKind() != "Namespace" && id != "NetworkPolicy/ingress" && id != "NetworkPolicy/pushes" {
				names = append(names, id)
			}
			text, err := o.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if overlay == "eks" && (strings.Contains(string(text), "azure") || strings.Contains(string(text), "managed-csi") || strings.Contains(string(text), "nginx")) {
				t.Errorf("%s %s has what is Azure's: %s", o.GetKind(), o.GetName(), text)
			}
			if class, _, _ := unstructured.NestedString(o.Object, "spec", "ingressClassName"); o.GetKind() == "Ingress" && overlay == "eks" && class != "alb" {
				t.Errorf("the Ingress is of class %q", class)
			}
			if claims, _, _ := unstructured.NestedSlice(o.Object, "spec", "volumeClaimTemplates"); overlay == "eks" && len(claims) > 0 {
				if class, _, _ := unstructured.NestedString(claims[0].(map[string]any), "spec", "storageClassName"); class != "gp3" {
					t.Errorf("%s has its data on %q", o.GetName(), class)
				}
			}
		}
		slices.Sort(names)
		return names
	}
	if azure, amazon := names("staging"), names("eks"); !slices.Equal(azure, amazon) {
		t.Errorf("on Azure there are %v, on Amazon %v", azure, amazon)
	}
}
