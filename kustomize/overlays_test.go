// Package kustomize_test checks the manifests of this repository's own stack.
package kustomize_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"zr/kustomize"
	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/deploy/render"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

var overlays = []string{"dev", "staging", "eks", "dashboard"}

// options fills in every secret that the manifests read.
func options(t *testing.T, overlay string) render.Options {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("overlays", overlay))
	if err != nil {
		t.Fatal(err)
	}
	return render.Options{
		Overlay:  dir,
		Set:      "zr-" + overlay,
		Images:   map[string]string{"frontend": "", "api": ""},
		Settings: map[string]string{"LOG_LEVEL": "info"},
		Secrets: map[string]string{
			"POSTGRES_USER": "zr", "POSTGRES_PASSWORD": "p", "POSTGRES_DB": "zr", "REDIS_PASSWORD": "r",
			"DATABASE_URL": "postgres://zr:p@postgres:5432/zr", "REDIS_URL": "redis://:r@redis:6379/0",
		},
	}
}

func rendered(t *testing.T, overlay string) *render.Rendered {
	t.Helper()
	r, err := render.Render(t.Context(), options(t, overlay))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contents are the objects as they are applied.
func contents(r *render.Rendered) []map[string]any {
	var out []map[string]any
	for _, o := range r.Objects {
		out = append(out, o.Object)
	}
	return out
}

func convert(t *testing.T, o *unstructured.Unstructured, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into); err != nil {
		t.Fatal(err)
	}
}

// templates returns the pod templates by workload.
func templates(t *testing.T, r *render.Rendered) map[string]corev1.PodTemplateSpec {
	t.Helper()
	out := map[string]corev1.PodTemplateSpec{}
	for _, o := range r.Objects {
		raw, found, err := unstructured.NestedMap(o.Object, "spec", "template")
		if err != nil || !found {
			continue
		}
		var template corev1.PodTemplateSpec
		convert(t, &unstructured.Unstructured{Object: raw}, &template)
		out[o.GetName()] = template
	}
	return out
}

func podLabels(t *testing.T, r *render.Rendered, workload string) labels.Set {
	t.Helper()
	return templates(t, r)[workload].Labels
}

func TestEveryContainerIsBoundedAndProbed(t *testing.T) {
	for _, overlay := range overlays {
		pods := templates(t, rendered(t, overlay))
		if len(pods) != 4 {
			t.Errorf("%s: there are %d workloads, want 4", overlay, len(pods))
		}
		for workload, template := range pods {
			for _, c := range template.Spec.Containers {
				for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
					request, limit := c.Resources.Requests[resource], c.Resources.Limits[resource]
					if request.IsZero() || limit.IsZero() || request.Cmp(limit) > 0 {
						t.Errorf("%s: %s/%s: %s: request %s, limit %s", overlay, workload, c.Name, resource, &request, &limit)
					}
				}
				if c.StartupProbe == nil || c.ReadinessProbe == nil || c.LivenessProbe == nil {
					t.Errorf("%s: %s/%s lacks a probe", overlay, workload, c.Name)
				} else if c.StartupProbe.PeriodSeconds != 1 {
					t.Errorf("%s: %s/%s is asked only every %d s whether it has started", overlay, workload, c.Name, c.StartupProbe.PeriodSeconds)
				}
			}
		}
	}
}

// TestRestricted holds the pods to the restricted profile, and to what goes
// beyond it. The server's own verdict is in TestTheServerAgrees.
func TestRestricted(t *testing.T) {
	yes := func(b *bool) bool { return b != nil && *b }
	no := func(b *bool) bool { return b != nil && !*b }
	for _, overlay := range overlays {
		for workload, template := range templates(t, rendered(t, overlay)) {
			pod := template.Spec
			context := pod.SecurityContext
			if context == nil || !yes(context.RunAsNonRoot) || context.RunAsUser == nil || *context.RunAsUser == 0 ||
				context.SeccompProfile == nil || context.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				t.Errorf("%s: %s: the pod's security context is %v", overlay, workload, context)
			}
			if !no(pod.EnableServiceLinks) {
				t.Errorf("%s: %s: the addresses of Services end up in its environment", overlay, workload)
			}
			if token := !no(pod.AutomountServiceAccountToken); token != (workload == "api") {
				t.Errorf("%s: %s: a token is mounted: %v", overlay, workload, token)
			}
			if pod.ServiceAccountName != workload {
				t.Errorf("%s: %s: runs as %q", overlay, workload, pod.ServiceAccountName)
			}
			for _, c := range append(pod.InitContainers, pod.Containers...) {
				context := c.SecurityContext
				if context == nil || !no(context.AllowPrivilegeEscalation) || !yes(context.ReadOnlyRootFilesystem) ||
					context.Capabilities == nil || len(context.Capabilities.Drop) != 1 || context.Capabilities.Drop[0] != "ALL" || len(context.Capabilities.Add) > 0 {
					t.Errorf("%s: %s/%s: the security context is %v", overlay, workload, c.Name, context)
				}
			}
		}
	}
}

// TestSecretsGoWhereTheyAreNeeded lists who may read which key.
func TestSecretsGoWhereTheyAreNeeded(t *testing.T) {
	want := map[string]map[string]bool{
		"api":      {"DATABASE_URL": true, "REDIS_URL": true, "LOGIN_KEY": true},
		"postgres": {"POSTGRES_USER": true, "POSTGRES_PASSWORD": true, "POSTGRES_DB": true},
		"redis":    {"REDIS_PASSWORD": true},
		"frontend": {},
	}
	for _, overlay := range overlays {
		for workload, template := range templates(t, rendered(t, overlay)) {
			got := map[string]bool{}
			for _, c := range append(template.Spec.InitContainers, template.Spec.Containers...) {
				for _, env := range c.Env {
					if env.ValueFrom != nil && env.ValueFrom.SecretKeyRef != nil {
						got[env.ValueFrom.SecretKeyRef.Key] = true
					}
				}
				for _, from := range c.EnvFrom {
					if from.SecretRef != nil {
						t.Errorf("%s: %s gets all of Secret %q", overlay, workload, from.SecretRef.Name)
					}
				}
			}
			for _, v := range template.Spec.Volumes {
				if v.Secret != nil {
					t.Errorf("%s: %s mounts Secret %q", overlay, workload, v.Secret.SecretName)
				}
			}
			if len(got) != len(want[workload]) {
				t.Errorf("%s: %s reads %v, want %v", overlay, workload, got, want[workload])
			}
			for key := range got {
				if !want[workload][key] {
					t.Errorf("%s: %s reads %s", overlay, workload, key)
				}
			}
		}
	}
}

// TestRights is about RBAC: one Role, which allows the requests of
// internal/api/kube and of pkg/logs/follow and no others, for the api alone. On a
// developer's machine it may also ask kubelets what containers use.
func TestRights(t *testing.T) {
	want := []string{"create batch/jobs", "delete batch/jobs", "get apps/deployments", "get apps/statefulsets", "get batch/jobs", "get configmaps named settings", "get namespaces", "get pods/log",
		"list apps/controllerrevisions", "list apps/daemonsets", "list apps/deployments",
		"list apps/replicasets", "list apps/statefulsets", "list batch/jobs", "list discovery.k8s.io/endpointslices", "list events", "list metrics.k8s.io/pods", "list pods", "list services",
		"patch apps/deployments", "patch apps/statefulsets", "patch configmaps named settings", "patch secrets named secrets",
		"watch apps/daemonsets", "watch apps/deployments", "watch apps/replicasets", "watch apps/statefulsets",
		"watch batch/jobs", "watch discovery.k8s.io/endpointslices", "watch events", "watch namespaces", "watch pods", "watch services"}
	for _, overlay := range []string{"dev", "staging", "eks"} {
		var rights, everywhere, subjects []string
		for _, o := range rendered(t, overlay).Objects {
			switch o.GetKind() {
			case "ClusterRole":
				var role rbacv1.ClusterRole
				convert(t, o.Unstructured, &role)
				everywhere = append(everywhere, rightsOf(role.Rules)...)
			case "Role":
				var role rbacv1.Role
				convert(t, o.Unstructured, &role)
				rights = append(rights, rightsOf(role.Rules)...)
			case "RoleBinding", "ClusterRoleBinding":
				var binding rbacv1.RoleBinding
				convert(t, o.Unstructured, &binding)
				for _, s := range binding.Subjects {
					subjects = append(subjects, s.Kind+" "+s.Namespace+"/"+s.Name)
				}
			}
		}
		if overlay == "dev" {
			if !slices.Equal(everywhere, []string{"get nodes/stats"}) {
				t.Errorf("%s: beyond the namespace it may %v", overlay, everywhere)
			}
			everywhere = nil
		}
		if len(everywhere) > 0 {
			t.Errorf("%s: %v reaches beyond the namespace", overlay, everywhere)
		}
		slices.Sort(rights)
		if !slices.Equal(rights, want) {
			t.Errorf("%s: the Roles allow %v, want %v", overlay, rights, want)
		}
		if subjects = slices.Compact(subjects); !slices.Equal(subjects, []string{"ServiceAccount zr-" + overlay + "/api"}) {
			t.Errorf("%s: the Roles are given to %v", overlay, subjects)
		}
	}
}

// TestRightsOfTheDashboard: in its own namespace it may do nothing, and everywhere see
// who was given rights, and what containers use.
func TestRightsOfTheDashboard(t *testing.T) {
	var rights, subjects []string
	for _, o := range rendered(t, "dashboard").Objects {
		switch o.GetKind() {
		case "Role", "RoleBinding":
			t.Errorf("%s %q gives it rights on its own namespace", o.GetKind(), o.GetName())
		case "ClusterRole":
			var role rbacv1.ClusterRole
			convert(t, o.Unstructured, &role)
			rights = append(rights, rightsOf(role.Rules)...)
		case "ClusterRoleBinding":
			var binding rbacv1.ClusterRoleBinding
			convert(t, o.Unstructured, &binding)
			for _, s := range binding.Subjects {
				subjects = append(subjects, s.Kind+" "+s.Namespace+"/"+s.Name)
			}
		}
	}
	if want := []string{"list rbac.authorization.k8s.io/rolebindings", "watch rbac.authorization.k8s.io/rolebindings", "get nodes/stats"}; !slices.Equal(rights, want) {
		t.Errorf("it may %v, want %v", rights, want)
	}
	if !slices.Equal(subjects, []string{"ServiceAccount " + kustomize.Namespace + "/" + kustomize.Account}) {
		t.Errorf("the rights are given to %v", subjects)
	}
}

// TestTheOverlayInTheProgram writes what zr has in its program, which renders as the
// folder does.
func TestTheOverlayInTheProgram(t *testing.T) {
	o := options(t, "dashboard")
	var err error
	if o.Overlay, err = kustomize.Write(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	written, err := render.Render(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(contents(rendered(t, "dashboard")), contents(written)); diff != "" || written.Namespace != kustomize.Namespace {
		t.Errorf("in namespace %q: %s", written.Namespace, diff)
	}
}

func rightsOf(rules []rbacv1.PolicyRule) []string {
	var out []string
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					right := verb + " " + strings.TrimPrefix(group+"/"+resource, "/")
					if len(rule.ResourceNames) > 0 {
						right += " named " + strings.Join(rule.ResourceNames, ",")
					}
					out = append(out, right)
				}
			}
		}
	}
	return out
}

// nodePorts are the ports of the nodes that manifests name, by their Service.
func nodePorts(r *render.Rendered) map[string]int32 {
	out := map[string]int32{}
	for _, s := range r.Services() {
		for _, p := range s.Ports {
			if p.NodePort != 0 {
				out[s.Name] = p.NodePort
			}
		}
	}
	return out
}

func TestHowTheOverlaysDiffer(t *testing.T) {
	dev, staging := rendered(t, "dev"), rendered(t, "staging")
	want := map[string]int32{"api": 30001, "frontend": 30000}
	if got := nodePorts(dev); !maps.Equal(got, want) {
		t.Errorf("dev is reached at %v, want %v", got, want)
	}
	if got := nodePorts(staging); len(got) > 0 {
		t.Errorf("staging is reached at %v", got)
	}
	for overlay, r := range map[string]*render.Rendered{"dev": dev, "staging": staging} {
		if r.Namespace != "zr-"+overlay {
			t.Errorf("%s is in namespace %q", overlay, r.Namespace)
		}
		kinds := map[string]int{}
		for _, o := range r.Objects {
			kinds[o.GetKind()]++
		}
		scaled := 0
		if overlay == "staging" {
			scaled = 2
		}
		if kinds["HorizontalPodAutoscaler"] != scaled || kinds["PodDisruptionBudget"] != scaled {
			t.Errorf("%s has %v", overlay, kinds)
		}
		for name, template := range templates(t, r) {
			if name != "api" && name != "frontend" || overlay == "dev" {
				continue
			}
			// Requests in flight and those of nodes that have not heard yet are
			// served, within the time that the kubelet gives.
			c := template.Spec.Containers[0]
			if c.Lifecycle == nil || c.Lifecycle.PreStop == nil || c.Lifecycle.PreStop.Sleep == nil {
				t.Errorf("%s: %s ends while it is still asked", overlay, name)
			} else if left := *template.Spec.TerminationGracePeriodSeconds - c.Lifecycle.PreStop.Sleep.Seconds; left < 15 {
				t.Errorf("%s: %s has %d s to end", overlay, name, left)
			}
			spread := template.Spec.TopologySpreadConstraints
			if len(spread) != 1 || spread[0].TopologyKey != corev1.LabelHostname || spread[0].MaxSkew != 1 || spread[0].WhenUnsatisfiable != corev1.ScheduleAnyway ||
				!matches(*spread[0].LabelSelector, template.Labels) || matches(*spread[0].LabelSelector, podLabels(t, r, "postgres")) {
				t.Errorf("%s: the pods of %s are spread over nodes by %v", overlay, name, spread)
			}
			if c.Resources.Requests.Cpu().MilliValue() < 100 {
				t.Errorf("%s: the autoscaler of %s counts by a request of %s", overlay, name, c.Resources.Requests.Cpu())
			}
		}
		// A server that replays its log is not ended, on a volume that holds much.
		if c := templates(t, r)["postgres"].Spec.Containers[0]; overlay == "staging" && c.StartupProbe.PeriodSeconds*c.StartupProbe.FailureThreshold < 900 {
			t.Errorf("%s: postgres has %d s to start", overlay, c.StartupProbe.PeriodSeconds*c.StartupProbe.FailureThreshold)
		}
		// Of several pods only those are asked that are ready.
		for _, o := range r.Objects {
			published, _, err := unstructured.NestedBool(o.Object, "spec", "publishNotReadyAddresses")
			if want := overlay == "dev" && o.GetKind() == "Service" && o.GetName() == "api"; err != nil || published != want {
				t.Errorf("%s: %s %s publishes pods that are not ready: %v, %v", overlay, o.GetKind(), o.GetName(), published, err)
			}
		}
		for _, w := range r.Workloads() {
			replicas := int32(1)
			if overlay == "staging" && w.Kind == "Deployment" {
				replicas = 2
			}
			if w.Replicas != replicas {
				t.Errorf("%s: %s has %d replicas, want %d", overlay, w.Name, w.Replicas, replicas)
			}
		}
	}
}

// TestTheServerAgrees has a real API server check every object of each overlay, strictly:
// fields that it does not know, and whose values it does not take, are refused. The pods
// are checked as such, by Pod Security's restricted, which judges no workload. It makes
// nothing but the namespace and its service accounts.
func TestTheServerAgrees(t *testing.T) {
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) {
			cfg := kubetest.Config(t)
			o := options(t, overlay)
			o.Overlay = elsewhere(t, o.Overlay, kubetest.Namespace(t), overlay == "dev")
			r, err := render.Render(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			client := kubetest.Client(t, cfg, "", "v1", "namespaces")
			for _, object := range r.Objects {
				if object.GetKind() == "Namespace" {
					if _, err := client.Create(t.Context(), object.Unstructured, metav1.CreateOptions{}); err != nil {
						t.Fatal(err)
					}
				}
			}
			t.Cleanup(func() { _ = client.Delete(context.Background(), r.Namespace, metav1.DeleteOptions{}) })
			d, err := deploy.New(kubetest.Connect(t, cfg), o.Set, r.Namespace)
			if err != nil {
				t.Fatal(err)
			}
			cs, err := d.Diff(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			for _, warning := range cs.Warnings {
				t.Errorf("the server warns: %s", warning)
			}
			takesPods(t, r, func(resource string) dynamic.ResourceInterface {
				return kubetest.Client(t, cfg, "", "v1", resource).Namespace(r.Namespace)
			})
		})
	}
}

// takesPods has the server judge a pod of each workload, and refuse one that is not
// restricted.
func takesPods(t *testing.T, r *render.Rendered, client func(resource string) dynamic.ResourceInterface) {
	t.Helper()
	accounts := client("serviceaccounts")
	for _, o := range r.Objects {
		if o.GetKind() == "ServiceAccount" {
			if _, err := accounts.Create(t.Context(), o.Unstructured, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	pods, strictly := client("pods"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	tried := 0
	for _, o := range r.Objects {
		template, found, err := unstructured.NestedMap(o.Object, "spec", "template")
		if err != nil || !found {
			continue
		}
		tried++
		spec := template["spec"].(map[string]any)
		claims, _, _ := unstructured.NestedSlice(o.Object, "spec", "volumeClaimTemplates")
		for _, claim := range claims { // which the controller of a StatefulSet adds
			name, _, _ := unstructured.NestedString(claim.(map[string]any), "metadata", "name")
			volumes, _ := spec["volumes"].([]any)
			spec["volumes"] = append(volumes, map[string]any{"name": name, "persistentVolumeClaim": map[string]any{"claimName": name}})
		}
		pod := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": spec,
			"metadata": map[string]any{"name": o.GetName(), "namespace": r.Namespace}}}
		if _, err := pods.Create(t.Context(), pod.DeepCopy(), strictly); err != nil {
			t.Errorf("a pod of %s: %v", o.GetName(), err)
		}
		if err := unstructured.SetNestedField(pod.Object, true, "spec", "hostNetwork"); err != nil {
			t.Fatal(err)
		}
		if _, err := pods.Create(t.Context(), pod, strictly); err == nil || !strings.Contains(err.Error(), "violates PodSecurity \"restricted") {
			t.Errorf("a pod of %s on the node's network is judged so: %v", o.GetName(), err)
		}
	}
	if tried != 4 {
		t.Errorf("%d workloads were tried, want 4", tried)
	}
}

// elsewhere makes an overlay of an overlay that differs in its namespace, and
// takes no port of the node that the real one may have.
func elsewhere(t *testing.T, overlay, namespace string, nodePorts bool) string {
	t.Helper()
	dir := t.TempDir()
	base, err := filepath.Rel(dir, overlay)
	if err != nil {
		t.Fatal(err)
	}
	text := "namespace: " + namespace + "\nresources: [" + base + "]\n"
	if nodePorts {
		text += "patches:\n  - target: {kind: Service, name: (frontend|api)}\n    patch: |\n      - {op: remove, path: /spec/ports/0/nodePort}\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
