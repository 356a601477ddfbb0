package render

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"zr/pkg/deploy/manifest"
	"zr/pkg/probe"
)

// Workload is a Deployment, StatefulSet, DaemonSet or Job that is rendered.
type Workload struct {
	Kind      string
	Namespace string
	Name      string
	// Replicas is what the manifest asks for, or an autoscaler's minimum. Where
	// that is 0, Idle says who wants it.
	Replicas   int32
	Idle       string
	Selector   map[string]string // labels of its pods; of a Job the cluster chooses them
	Services   []string          // those that are to lead to its pods, sorted
	Vanishes   bool              // it is a Job that is deleted some time after it has ended
	Containers []Container
}

// Container is one container of a Workload.
type Container struct {
	Name string
	// Image is the reference to run, Manifest the one that the manifest names.
	Image     string
	Manifest  string
	Ports     []Port
	Readiness probe.Probe
	// Command is what runs in place of the image's own command; empty where the
	// manifest names none.
	Command []string
}

// Own returns the container that runs the service: the one with its image, or
// where none has that, the first.
func (w Workload) Own() Container {
	own := -1
	for i, c := range w.Containers {
		if manifest.Untagged(c.Manifest) == w.Name && (own < 0 || c.Name == w.Name) {
			own = i
		}
	}
	return w.Containers[max(own, 0)]
}

// Port is a port that a container declares.
type Port struct {
	Name     string
	Number   int32
	Protocol string // "TCP", "UDP" or "SCTP"
}

// Workloads returns what runs, sorted by name; of the same name, those that
// serve come first, and Jobs last.
func (r *Rendered) Workloads() []Workload {
	var out []Workload
	for _, o := range r.Objects {
		switch o.GetKind() {
		case "Deployment", "StatefulSet", "DaemonSet", "Job":
		default:
			continue
		}
		// A Deployment's type has all that the others share.
		var typed appsv1.Deployment
		if err := decode(o.Unstructured, &typed); err != nil {
			continue // cannot be: it was decoded strictly when it was rendered
		}
		w := Workload{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName(), Replicas: 1}
		if typed.Spec.Selector != nil {
			w.Selector = typed.Spec.Selector.MatchLabels
		}
		if typed.Spec.Replicas != nil {
			w.Replicas = *typed.Spec.Replicas
		}
		_, w.Vanishes = manifest.At(o.Object, "spec")["ttlSecondsAfterFinished"]
		w.Replicas = max(w.Replicas, r.minReplicas(o.Unstructured))
		w.Idle = r.idle(o.Unstructured, w.Replicas)
		w.Services = r.servicesOf(o.Unstructured, typed.Spec.Template.Labels)
		for i, c := range typed.Spec.Template.Spec.Containers {
			view := container(c, o.Images[i+len(typed.Spec.Template.Spec.InitContainers)])
			if c.Name == o.inDev.name {
				view.Readiness = o.inDev.probe // which the agent asks in place of the kubelet
			}
			w.Containers = append(w.Containers, view)
		}
		out = append(out, w)
	}
	order := []string{"Deployment", "StatefulSet", "DaemonSet", "Job"}
	slices.SortStableFunc(out, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Index(order, a.Kind)-slices.Index(order, b.Kind))
	})
	return out
}

// idle says why a workload may have no pods at all, or "".
func (r *Rendered) idle(workload *unstructured.Unstructured, replicas int32) string {
	if kind := workload.GetKind(); kind != "Deployment" && kind != "StatefulSet" {
		return ""
	}
	if replicas == 0 {
		return "its manifest asks for 0 replicas"
	}
	for _, o := range r.Objects {
		ref := manifest.At(o.Object, "spec", "scaleTargetRef")
		kind := cmp.Or(manifest.Text(ref, "kind"), "Deployment") // as KEDA has it
		if o.GetKind() != "HorizontalPodAutoscaler" && o.GetNamespace() == workload.GetNamespace() && kind == workload.GetKind() && manifest.Text(ref, "name") == workload.GetName() {
			return manifest.Name(o.Unstructured) + " scales it to 0 replicas" // what else scales may do that by default
		}
	}
	return ""
}

func (r *Rendered) minReplicas(workload *unstructured.Unstructured) int32 {
	for _, o := range r.Objects {
		if scales(o.Unstructured, workload) {
			n, _, _ := unstructured.NestedInt64(o.Object, "spec", "minReplicas")
			return int32(n)
		}
	}
	return 0
}

func decode(m *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(m.Object, into); err != nil {
		return fmt.Errorf("decoding %s: %w", manifest.Name(m), err)
	}
	return nil
}

func container(c corev1.Container, manifest string) Container {
	out := Container{Name: c.Name, Image: c.Image, Manifest: manifest, Command: c.Command}
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, Port{p.Name, p.ContainerPort, cmp.Or(string(p.Protocol), "TCP")})
	}
	port := func(p intstr.IntOrString) int32 {
		for _, declared := range out.Ports {
			if p.Type == intstr.String && declared.Name == p.StrVal {
				return declared.Number
			}
		}
		return int32(p.IntValue())
	}
	if c.ReadinessProbe != nil {
		out.Readiness = readinessOf(c.ReadinessProbe, port)
	}
	return out
}

// readinessOf returns a probe with the defaults of Kubernetes. port resolves
// named ones.
func readinessOf(p *corev1.Probe, port func(intstr.IntOrString) int32) probe.Probe {
	seconds := func(n, otherwise int32) time.Duration { return time.Duration(cmp.Or(n, otherwise)) * time.Second }
	out := probe.Probe{
		Period: seconds(p.PeriodSeconds, 10), Timeout: seconds(p.TimeoutSeconds, 1),
		Successes: int(cmp.Or(p.SuccessThreshold, 1)), Failures: int(cmp.Or(p.FailureThreshold, 3)),
	}
	switch {
	case p.HTTPGet != nil:
		get := p.HTTPGet
		out.Kind, out.Scheme, out.Path = probe.HTTP, cmp.Or(string(get.Scheme), "HTTP"), cmp.Or(get.Path, "/")
		out.Host, out.Port = get.Host, port(get.Port)
		for _, h := range get.HTTPHeaders {
			if out.Headers == nil {
				out.Headers = http.Header{}
			}
			out.Headers.Add(h.Name, h.Value)
		}
	case p.TCPSocket != nil:
		out.Kind, out.Host, out.Port = probe.TCP, p.TCPSocket.Host, port(p.TCPSocket.Port)
	case p.GRPC != nil:
		out.Kind, out.Port = probe.GRPC, p.GRPC.Port
		if p.GRPC.Service != nil {
			out.Service = *p.GRPC.Service
		}
	case p.Exec != nil:
		out.Kind, out.Command = probe.Exec, p.Exec.Command
	}
	return out
}
