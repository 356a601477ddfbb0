package fleet

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"zr/internal/api/kube"
	"zr/internal/api/podprobe"
	"zr/internal/api/reason"
	"zr/internal/api/usage"
	"zr/pkg/diagnose"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
	"zr/pkg/podconfig"
)

// Details are what a service is made of.
type Details struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// RolledOut is when the newest pod of the current template was made.
	RolledOut  *time.Time   `json:"rolledOutAt,omitempty" doc:"When the newest pod of the current version was made; left out where there is none."`
	Containers []Container  `json:"containers" doc:"Of the template; those that run before the others come first."`
	Pods       []PodDetails `json:"pods" doc:"Sorted by name."`
	Ports      []LedPort    `json:"ports" doc:"Of the Services that lead to it."`
	UsageBy    string       `json:"usageBy,omitempty" enum:"metrics.k8s.io,kubelet" doc:"Who tells the CPU and memory of the containers."`
	UsageWhy   string       `json:"usageWhy,omitempty" doc:"Why CPU and memory are not known."`
}

// Container is one container of a template.
type Container struct {
	Name     string     `json:"name"`
	Image    string     `json:"image"`
	Init     bool       `json:"init,omitempty" doc:"It runs before the others."`
	Ports    []Port     `json:"ports"`
	Env      []Variable `json:"env" doc:"In the order of the template, where a later one wins."`
	Probes   []Question `json:"probes"`
	Requests Resources  `json:"requests"`
	Limits   Resources  `json:"limits"`
}

// Resources are as the manifest writes them: "250m", "64Mi"; empty where it says nothing.
type Resources struct {
	CPU    string `json:"cpu,omitempty"`
	Memory string `json:"memory,omitempty"`
}

// Port is one that a container declares.
type Port struct {
	Name     string `json:"name,omitempty"`
	Number   int32  `json:"number"`
	Protocol string `json:"protocol,omitempty"`
}

// LedPort is a port of a Service.
type LedPort struct {
	Service  string `json:"service" doc:"The name of the Kubernetes Service."`
	Name     string `json:"name,omitempty"`
	Number   int32  `json:"number"`
	Protocol string `json:"protocol,omitempty"`
}

// Question is one that the kubelet asks a container.
type Question struct {
	Of    string `json:"of" enum:"startup,readiness,liveness"`
	Kind  string `json:"kind" doc:"http, tcp, grpc or exec; empty for one that is not known."`
	Asks  string `json:"asks" doc:"Such as \"GET :8080/health\"."`
	Every int    `json:"everySeconds"`
	Limit int    `json:"timeoutSeconds"`
	Fails int    `json:"failures" doc:"So many in a row count."`
}

// PodDetails is one pod and how its containers are.
type PodDetails struct {
	Name       string            `json:"name"`
	Node       string            `json:"node,omitempty"`
	Address    string            `json:"address,omitempty"`
	Created    time.Time         `json:"createdAt"`
	Containers []ContainerStatus `json:"containers"`
	Answer     *Answer           `json:"answer" doc:"The last one to its readiness probe."`
}

// ContainerStatus is how a container of a pod is.
type ContainerStatus struct {
	Name     string     `json:"name"`
	Image    string     `json:"image"`
	Digest   string     `json:"digest,omitempty" doc:"Of the image that runs: \"sha256:...\"."`
	State    string     `json:"state" enum:"running,waiting,terminated"`
	Reason   string     `json:"reason,omitempty" doc:"Why it waits or has ended, in one word of Kubernetes."`
	Message  string     `json:"message,omitempty"`
	Ready    bool       `json:"ready"`
	Started  *time.Time `json:"startedAt,omitempty"`
	Restarts int32      `json:"restarts"`
	Last     *Ended     `json:"lastEnd,omitempty" doc:"How it ended before it was restarted last."`
	Cores    *float64   `json:"cpuCores,omitempty" doc:"CPU that it uses, over the last seconds: 0.25 is a quarter of a core."`
	Memory   *int64     `json:"memoryBytes,omitempty" doc:"Memory that counts against its limit."`
}

// Ended says how a container ended.
type Ended struct {
	Reason   string    `json:"reason"`
	ExitCode int32     `json:"exitCode"`
	Signal   int32     `json:"signal,omitempty"`
	At       time.Time `json:"at"`
}

// Details returns what the service of a name is made of, with what its containers use; nil
// where there is no such service. A setting of the environment has its value, of a secret
// there is the name alone.
func (r *Reader) Details(ctx context.Context, name string, use usage.Report) (*Details, error) {
	if r.informer == nil {
		return nil, kube.ErrNotInCluster
	}
	held, _, err := r.informer.look()
	if err != nil {
		return nil, reason.With(kubernetesReason(err), err)
	}
	all := workloads(held)
	i := slices.IndexFunc(all, func(w named) bool { return w.name == name })
	if i < 0 {
		return nil, nil
	}
	settings, err := r.settings(ctx)
	if err != nil {
		return nil, err
	}
	return r.details(held, all[i], settings, use), nil
}

// kubeletPort is that of every kubelet, unless its settings say otherwise.
const kubeletPort = "10250"

// Nodes returns the addresses (host:port) of the kubelets that run pods of the namespace.
func (r *Reader) Nodes() []string {
	held, _, err := r.informer.look()
	if err != nil {
		return nil
	}
	nodes := map[string]bool{}
	held.Pods(func(p *object.Pod) {
		if p.Status.HostIP != "" {
			nodes[net.JoinHostPort(p.Status.HostIP, kubeletPort)] = true
		}
	})
	return slices.Sorted(maps.Keys(nodes))
}

// settings reads those of the environment, nil where it has none.
func (r *Reader) settings(ctx context.Context) (map[string]string, error) {
	var held object.ConfigMap
	err := r.kube.Read(ctx, object.ConfigMaps, podconfig.SettingsName, &held)
	if lean.HasCode(err, http.StatusNotFound) {
		return nil, nil
	}
	return held.Data, err
}

func (r *Reader) details(s *diagnose.Snapshot, w named, settings map[string]string, use usage.Report) *Details {
	d := &Details{Name: w.name, Kind: w.Kind, Pods: []PodDetails{}, Ports: []LedPort{}, UsageBy: use.By, UsageWhy: use.Why}
	spec := w.Spec.Template.Spec
	for _, c := range spec.InitContainers {
		d.Containers = append(d.Containers, r.container(c, settings, c.RestartPolicy != object.RestartAlways))
	}
	for _, c := range spec.Containers {
		d.Containers = append(d.Containers, r.container(c, settings, false))
	}
	t := target(s, w.Workload)
	for _, name := range t.Services {
		for _, p := range s.PortsOf(w.Namespace, name) {
			d.Ports = append(d.Ports, LedPort{name, p.Name, p.Port, p.Protocol})
		}
	}
	rollout := s.RolloutOf(t)
	for _, p := range rollout.Current {
		if d.RolledOut == nil || p.CreationTimestamp.After(*d.RolledOut) {
			d.RolledOut = &p.CreationTimestamp
		}
	}
	for _, p := range slices.Concat(rollout.Current, rollout.Earlier) {
		d.Pods = append(d.Pods, r.podDetails(targetOf(w.Workload, p), use))
	}
	slices.SortFunc(d.Pods, func(a, b PodDetails) int { return strings.Compare(a.Name, b.Name) })
	return d
}

func (r *Reader) container(c object.Container, settings map[string]string, init bool) Container {
	out := Container{Name: c.Name, Image: c.Image, Init: init, Ports: []Port{}, Env: r.variables(c, settings), Probes: r.questions(c),
		Requests: Resources{c.Resources.Requests["cpu"], c.Resources.Requests["memory"]},
		Limits:   Resources{c.Resources.Limits["cpu"], c.Resources.Limits["memory"]}}
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, Port{p.Name, p.ContainerPort, p.Protocol})
	}
	return out
}

func (r *Reader) podDetails(t podprobe.Target, use usage.Report) PodDetails {
	p := t.Pod
	d := PodDetails{Name: p.Name, Node: p.Spec.NodeName, Address: p.Status.PodIP, Created: p.CreationTimestamp, Containers: []ContainerStatus{}, Answer: r.answer(t)}
	for _, c := range p.Statuses() {
		s := r.containerStatus(c)
		if u, known := use.Of[usage.Container{Pod: p.Name, Name: c.Name}]; known {
			s.Cores, s.Memory = &u.Cores, &u.Memory
		}
		d.Containers = append(d.Containers, s)
	}
	return d
}

func (r *Reader) containerStatus(c object.ContainerStatus) ContainerStatus {
	s := ContainerStatus{Name: c.Name, Image: c.Image, State: "waiting", Ready: c.Ready, Restarts: c.RestartCount}
	if _, digest, has := strings.Cut(c.ImageID, "@"); has {
		s.Digest = digest
	} else if strings.HasPrefix(c.ImageID, "sha256:") {
		s.Digest = c.ImageID
	}
	switch {
	case c.State.Running != nil:
		s.State, s.Started = "running", &c.State.Running.StartedAt
	case c.State.Terminated != nil:
		s.State, s.Reason, s.Message = "terminated", c.State.Terminated.Reason, c.State.Terminated.Message
	case c.State.Waiting != nil:
		s.Reason, s.Message = c.State.Waiting.Reason, c.State.Waiting.Message
	}
	s.Message = r.secrets.Text(firstLine(s.Message))
	if t := c.LastState.Terminated; t != nil {
		s.Last = &Ended{t.Reason, t.ExitCode, t.Signal, t.FinishedAt}
	}
	return s
}
